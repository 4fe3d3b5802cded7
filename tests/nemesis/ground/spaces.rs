//! Name spaces of the harness's own, where the machine lets us (root): whatever is mounted and whatever link is made goes with
//! the last process in them, however the harness ends, and two runs on one machine do not meet.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use super::cable;

/// Tells the harness that it is in a name space of its own for mounts.
pub const OWN_MOUNTS: &str = "SAS_CHAOS_OWN_MOUNTS";
/// The same for the network.
const OWN_NETWORK: &str = "SAS_CHAOS_OWN_NETWORK";

/// One kind of name space, and what is done in a new one.
#[derive(Debug)]
pub(super) struct Space {
    /// The variable that tells the harness that it is in one.
    told: &'static str,
    kind: &'static [&'static str],
    setup: &'static str,
    /// What must succeed in it, or it is of no use.
    trial: &'static str,
}

pub(super) const MOUNTS: Space =
    Space { told: OWN_MOUNTS, kind: &["--mount", "--propagation", "private"], setup: "true", trial: "true" };
pub(super) const NETWORK: Space =
    Space { told: OWN_NETWORK, kind: &["--net"], setup: cable::SETUP, trial: cable::TRIAL };

/// Goes on in name spaces of its own with the same arguments; returns once it has those that can be had.
pub fn enter() {
    // One at a time: who goes on begins anew, and comes to the next.
    [MOUNTS, NETWORK].iter().filter(|space| !space.entered()).for_each(Space::enter);
}

impl Space {
    pub(super) fn entered(&self) -> bool {
        std::env::var_os(self.told).is_some()
    }

    /// Returns only when it cannot be done: then disks and networks are what they are.
    fn enter(&self) {
        let mut trial = self.within(&format!("{} && {}", self.setup, self.trial));
        let trial = trial.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if let (true, Ok(me)) = (trial.is_ok_and(|status| status.success()), std::env::current_exe()) {
            let mut again = self.within(&format!("{} && exec \"$@\"", self.setup));
            let _ = again.arg(me).args(std::env::args_os().skip(1)).env(self.told, "1").exec();
        }
    }

    /// A script in a new one.
    fn within(&self, script: &str) -> Command {
        let mut command = Command::new("unshare");
        command.args(self.kind).args(["--", "sh", "-c", script, "sh"]);
        command
    }
}

/// Does something to the system; what it said when it failed.
pub(super) fn run(command: &mut Command) -> io::Result<()> {
    let done = command.stdin(Stdio::null()).output()?;
    let said = || io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr).trim()));
    if done.status.success() { Ok(()) } else { Err(said()) }
}
