//! Who works when, so that waits are those of a real room. Published figures behind it (domain notes §3.4 and §4): 7 to 9
//! ARM by day for 1,900 calls at SAMU 67 (2023), 7.2 files an hour and regulator (DREES 2022), 2 to 3 visits an hour and
//! SOS doctor. An ARM here does more files an hour than the published 5.5, since no other duty of the room is played.

/// Persons on duty in each hour of the day.
pub(super) type Rota = [usize; 24];

/// Everybody at work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Staffing {
    /// Assistants who answer and qualify.
    pub(super) arm: Rota,
    /// Emergency doctors who regulate; the first is kept for P0 and P1.
    pub(super) amu: Rota,
    /// General practitioners who regulate.
    pub(super) snp: Rota,
    /// Coordinators.
    pub(super) osnp: Rota,
}

/// A day on which practices are closed, for 1,950 files.
const FREE_DAY: Staffing = Staffing {
    arm: [5, 4, 4, 3, 3, 3, 4, 5, 8, 9, 9, 9, 8, 8, 8, 8, 8, 8, 9, 9, 9, 8, 7, 6],
    amu: [4, 3, 3, 2, 2, 2, 2, 3, 5, 5, 5, 5, 5, 4, 4, 4, 5, 5, 5, 5, 5, 5, 4, 3],
    snp: [3, 3, 2, 2, 2, 2, 2, 3, 5, 6, 6, 6, 5, 4, 4, 4, 5, 5, 6, 6, 6, 5, 4, 3],
    osnp: [2, 1, 1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 3, 3, 3, 3, 3, 3, 4, 4, 4, 3, 2, 2],
};

/// A working day, for 705 files.
const WORK_DAY: Staffing = Staffing {
    arm: [3, 3, 2, 2, 2, 2, 2, 3, 4, 5, 5, 5, 4, 4, 4, 4, 4, 5, 5, 5, 5, 4, 4, 3],
    amu: [2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 2, 2],
    snp: [1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 3, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 2, 2],
    osnp: [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1],
};

/// The staff of a day with `files` files, on which practices are closed or open.
pub(super) fn staffing(closed: bool, files: u32) -> Staffing {
    if !closed {
        return WORK_DAY;
    }
    let scaled = |rota: Rota, least: usize| rota.map(|on| (on * files as usize).div_ceil(1_950).max(least));
    Staffing {
        arm: scaled(FREE_DAY.arm, 3),
        amu: scaled(FREE_DAY.amu, 2),
        snp: scaled(FREE_DAY.snp, 2),
        osnp: scaled(FREE_DAY.osnp, 1),
    }
}

/// Shifts of visiting doctors in an association: first hour, last hour, doctors.
pub(super) const SOS_SHIFTS: [(u32, u32, usize); 3] = [(0, 8, 3), (8, 16, 4), (16, 24, 5)];
/// The shift of a general practitioner who visits in the country on days of duty.
pub(super) const COUNTRY_SHIFT: (u32, u32) = (8, 24);
