//! Being asked to stop: Ctrl-C or SIGTERM.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Listens from now on; what it gives comes back when somebody asks to stop.
pub(super) fn asked() -> io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Works until it is done, or until somebody asks to stop: then the work is dropped, with the folder it was played in, and
/// there is no answer.
pub(super) async fn unless_asked<T>(work: impl Future<Output = T>) -> io::Result<Option<T>> {
    // Before the work begins: the first thing it does may be a folder that has to go again.
    let asked = asked()?;
    tokio::select! {
        done = work => Ok(Some(done)),
        () = asked => Ok(None),
    }
}
