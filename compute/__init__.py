"""Where long work runs: in this process, in processes beside it, or on a Dask cluster."""
