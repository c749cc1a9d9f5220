//! Where the node's outputs go that are not for a client's connection.
//!
//! Orders to the disk, the state file, the link to the primary and the control task are given under the machine's
//! lock, so none overtakes another. What may take time, and whose order does not matter, waits for the lock to be free.

use crate::control::{Change, Control};
use crate::disk::{self, Disk};
use crate::machine::Settings;
use crate::memory::Garbage;
use crate::{exchange, primary, state};
use std::sync::Arc;
use tanist_node::{LogLevel, Output};
use tokio::sync::mpsc::UnboundedSender;

/// The ways out. Who is at the other end of each lives as long as the process.
pub(crate) struct Outlets {
    pub(crate) garbage: Garbage,
    pub(crate) disk: Disk,
    pub(crate) primary: Arc<primary::Orders>,
    pub(crate) state: state::Orders,
    pub(crate) control: Control,
    pub(crate) exchange: UnboundedSender<exchange::Order>,
}

/// What is done when the lock is free.
pub(crate) enum Late {
    Log(LogLevel, String),
    Discard(tanist_node::Garbage),
    Exit(i32),
}

impl Outlets {
    /// Gives an order, under the lock; or says what is to be done afterwards.
    pub(crate) fn order(&self, output: Output, settings: &Settings) -> Option<Late> {
        match output {
            Output::Log(level, text) => return Some(Late::Log(level, text)),
            Output::Discard(garbage) => return Some(Late::Discard(garbage)),
            Output::Exit(status) => return Some(Late::Exit(status)),
            Output::PrimaryConnect { attempt, host, port } => {
                self.to_primary(primary::Order::Connect { attempt, host, port });
            }
            Output::PrimarySend { attempt, bytes } => {
                self.to_primary(primary::Order::Send { attempt, bytes })
            }
            Output::PrimaryHold { attempt, hold } => {
                self.to_primary(primary::Order::Hold { attempt, hold });
            }
            Output::PrimaryClose { attempt } => self.to_primary(primary::Order::Close { attempt }),
            Output::Exchange { number, host, port, identity, bytes } => {
                let to = exchange::Target { host, port, identity };
                let _ = self.exchange.send(exchange::Order::Begin { number, to, bytes });
            }
            Output::ExchangeEnd { number, keep } => {
                let _ = self.exchange.send(exchange::Order::End { number, keep });
            }
            Output::Persist { id, bytes } => {
                let _ = self.state.send(state::Order { id, bytes });
            }
            Output::SaveBegin => self.disk.order(disk::Order::SaveBegin(settings.snapshot_file())),
            Output::SaveBytes { bytes, last } => self.disk.order(disk::Order::SaveBytes { bytes, last }),
            Output::LoadSnapshot => self.disk.order(disk::Order::Load(settings.snapshot_file())),
            Output::SpillWrite { file, bytes } => self.disk.order(disk::Order::SpillWrite { file, bytes }),
            Output::SpillRead { file, at, len } => self.disk.order(disk::Order::SpillRead { file, at, len }),
            Output::SpillEnd { file } => self.disk.order(disk::Order::SpillEnd { file }),
            Output::SaveCancel => self.disk.order(disk::Order::SaveCancel),
            Output::ReadUsers { session } => {
                self.disk.order(disk::Order::ReadUsers { session, path: settings.users_file() });
            }
            Output::WriteUsers { session, bytes } => {
                self.disk.order(disk::Order::WriteUsers { session, path: settings.users_file(), bytes });
            }
            Output::RewriteConfig { session, config, whole } => {
                self.disk.order(disk::Order::RewriteConfig { session, config, whole });
            }
            Output::Configured(config) => {
                // At once: what follows the command is read with the new limits, and saved under the new name.
                settings.follow(&config);
                self.control.order(Change::Follow(config));
            }
            Output::Reconfigure { session, config } => self.control.order(Change::Apply { session, config }),
            // The node stands still, as it was told to.
            Output::Stall(time) => std::thread::sleep(time),
            // Sorted out before: they go to connections.
            Output::Send { .. } | Output::Close { .. } | Output::Resume(_) | Output::TellDrained(_) => {}
        }
        None
    }

    fn to_primary(&self, order: primary::Order) {
        self.primary.give(order);
    }
}

/// Writes a line of the node's to the log.
pub(crate) fn log(level: LogLevel, text: &str) {
    match level {
        LogLevel::Debug => tracing::trace!("{text}"),
        LogLevel::Verbose => tracing::debug!("{text}"),
        LogLevel::Notice => tracing::info!("{text}"),
        LogLevel::Warning => tracing::warn!("{text}"),
    }
}
