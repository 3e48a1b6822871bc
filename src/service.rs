//! The process in the hands of whoever runs it: the service manager that started it, the signals it is sent, the sockets it was
//! handed, the journal its lines go to. It knows nothing about records; what is done at a reload is `cli/serve`'s.

pub(crate) mod journal;
pub(crate) mod manager;
pub(crate) mod signals;
pub(crate) mod sockets;
