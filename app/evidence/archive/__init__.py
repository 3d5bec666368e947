"""The archive: closed days as Parquet files, one a day, which the hot samples then give way to."""
