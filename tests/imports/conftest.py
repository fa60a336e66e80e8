"""Scripts that run inside the other tools' environments are no tests of this one."""

collect_ignore = ["gx_work.py", "soda_work.py"]
