"""
The example project behind real proxies, and with real caching clients.

Each program is started on a free loopback port with a configuration that is as
small as it can be, and without root's rights. What is not installed is skipped;
under ``make proxies`` it is a failure.
"""
