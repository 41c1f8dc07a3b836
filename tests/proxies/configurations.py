"""
The least configuration with which each proxy does the one thing that is tested.

Each is the names of its program, and a function (folder, port, origin's port) that
writes a configuration file and returns the command. The frames keep a server inside
of its folder; the settings in them are what a user has to write.
"""

from pathlib import Path

from .programs import find

__all__ = ["APACHE", "CACHES", "NGINX", "PROXIES", "SQUID"]

NGINX = ("nginx",)
APACHE = ("apache2", "httpd")
SQUID = ("squid",)

NGINX_FRAME = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {settings}
    server {{
        listen 127.0.0.1:{port};
        proxy_set_header Host $http_host;
        proxy_set_header Connection "";
        proxy_http_version 1.1;
        location / {{
            proxy_pass http://127.0.0.1:{origin};
        }}
        {locations}
    }}
}}
"""

NGINX_GZIP = """
    gzip on;
    gzip_proxied any;
    gzip_types application/json;
"""

# nginx heeds no request's Cache-Control by itself: without the bypass, who asks
# again after a 412 gets the same old copy.
NGINX_CACHE = """
    proxy_cache_path {folder}/cache keys_zone=pages:1m;
    map $http_cache_control $asks_again {{ "~*no-cache" 1; }}
"""
# Only where answers may be kept: there, nginx asks for whole pages, and where it
# may not keep one, it sends it whole, whatever the client has.
NGINX_CACHED = """
        location ~ ^/(api|brief|dated)/ {{
            proxy_pass http://127.0.0.1:{origin};
            proxy_cache pages;
            proxy_cache_revalidate on;
            proxy_cache_bypass $asks_again;
        }}
"""

APACHE_FRAME = """
ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
Mutex file:{folder} default
ErrorLog {folder}/error.log
{modules}
ProxyPass / http://127.0.0.1:{origin}/
ProxyPreserveHost On
{settings}
"""
APACHE_MODULES = ("mpm_event", "authz_core", "proxy", "proxy_http")

APACHE_DEFLATE = """
AddOutputFilterByType DEFLATE application/json text/html
"""

APACHE_CACHE = """
CacheRoot {folder}
CacheEnable disk /
"""

SQUID_FILE = """
http_port 127.0.0.1:{port} accel defaultsite=127.0.0.1:{origin}
cache_peer 127.0.0.1 parent {origin} 0 no-query no-digest originserver
http_access allow all
visible_hostname localhost
cache_mem 16 MB
memory_cache_shared off
access_log none
cache_log {folder}/cache.log
pid_filename {folder}/pid
coredump_dir {folder}
pinger_enable off
shutdown_lifetime 0 seconds
"""


def nginx(settings, locations=""):
    def configure(folder, port, origin):
        file = folder / "nginx.conf"
        values = {"folder": folder, "port": port, "origin": origin}
        parts = {"settings": settings.format(**values), "locations": locations.format(**values)}
        file.write_text(NGINX_FRAME.format(**parts, **values))
        return [find(*NGINX), "-e", folder / "error.log", "-p", folder, "-c", file]

    return NGINX, configure


def apache(settings, *more_modules):
    def configure(folder, port, origin):
        file = folder / "apache.conf"
        values = {"folder": folder, "port": port, "origin": origin}
        modules = "\n".join(load_modules(*APACHE_MODULES, *more_modules))
        text = APACHE_FRAME.format(settings=settings.format(**values), modules=modules, **values)
        file.write_text(text)
        return [find(*APACHE), "-d", folder, "-f", file, "-DFOREGROUND"]

    return APACHE, configure


def load_modules(*names):
    """A line for each module that is not built in."""
    library = Path(find(*APACHE)).resolve().parent.parent
    folders = [
        library / place / "modules"
        for place in ("lib/apache2", "lib64/httpd", "lib/httpd", "libexec/apache2")
    ]
    for name in names:
        for folder in folders:
            if (file := folder / f"mod_{name}.so").exists():
                yield f"LoadModule {name}_module {file}"


def squid():
    def configure(folder, port, origin):
        file = folder / "squid.conf"
        file.write_text(SQUID_FILE.format(folder=folder, port=port, origin=origin))
        return [find(*SQUID), "-N", "-f", file]

    return SQUID, configure


CACHES = {
    "nginx proxy_cache": nginx(NGINX_CACHE, NGINX_CACHED),
    "Apache mod_cache": apache(APACHE_CACHE, "cache", "cache_disk"),
    "Squid": squid(),
}
PROXIES = {
    "nginx gzip": nginx(NGINX_GZIP),
    "Apache mod_deflate": apache(APACHE_DEFLATE, "filter", "deflate"),
    **CACHES,
}
