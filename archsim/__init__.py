"""archsim: where the joules and the nanoseconds of one token go on a machine."""

__version__ = "0.1.0"
