"""What stands for services of AWS on this machine: buckets, functions, the calls of a job."""
