//! The sender against a scripted server.
