//! What both shells share: listeners, durable files, signals, logging.
