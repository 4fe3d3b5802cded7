//! Legal periods of unscheduled care (R6315-1 CSP, L6311-3 CSP).
