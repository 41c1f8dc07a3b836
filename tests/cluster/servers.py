"""
PostgreSQL with a standby that is behind, PgBouncer, and three MariaDB nodes with Galera: each in
a temporary folder, on ports of its own on loopback, and stopped at the end of its block.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

APPLY_DELAY = 400  # Milliseconds that the standby is behind.
GALERA = "/usr/lib/galera/libgalera_smm.so"


class MissingServer(Exception):
    """A program is not installed, or does not start."""


def program(name):
    """The path of a server's program."""
    postgresql = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    places = [*map(str, postgresql), os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise MissingServer(f"{name} is not installed: .ci/cluster installs it.")
    return found


def free_ports(number):
    """Ports that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def wait_for(condition, what, seconds=120):
    """Wait until ``condition()`` is true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise MissingServer(f"{what} is not ready after {seconds} s.")
        time.sleep(0.05)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Runner:
    """
    Runs programs as another user than root, which these servers refuse.

    Args:
        user: the user that Debian's package makes for the server.
    """

    def __init__(self, user):
        self.prefix = []
        self.owner = None
        if os.getuid() == 0:
            self.owner = pwd.getpwnam(user)
            ids = [f"--reuid={user}", f"--regid={self.owner.pw_gid}", "--clear-groups"]
            self.prefix = ["setpriv", *ids]

    @contextmanager
    def folder(self):
        """A temporary folder that belongs to the user."""
        path = Path(tempfile.mkdtemp(prefix="etag_versioning_cluster_"))
        self.own(path)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def own(self, path):
        if self.owner:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def run(self, *arguments):
        done = subprocess.run(
            [*self.prefix, *map(str, arguments)], cwd="/", capture_output=True, text=True
        )
        if done.returncode:
            raise MissingServer(f"{arguments[0]}: {done.stdout}{done.stderr}")

    def start(self, log, *arguments):
        with open(log, "ab") as output:
            return subprocess.Popen(
                [*self.prefix, *map(str, arguments)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


def stop(process, by=signal.SIGTERM, seconds=30):
    """End a process that was started here; by force if it does not obey."""
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(seconds)


def started(process, ready, name, log):
    """Wait until a server is ready; show its log if it ends instead."""

    def is_ready():
        if process.poll() is not None:
            raise MissingServer(f"{name} ended:\n{Path(log).read_text()[-3000:]}")
        return ready()

    wait_for(is_ready, name)


@contextmanager
def postgresql():
    """A primary, and a standby that applies each change 400 ms later; yields both ports."""
    runner = Runner("postgres")
    with runner.folder() as folder, ExitStack() as stack:
        primary, standby = free_ports(2)
        data = folder / "primary"
        runner.run(
            program("initdb"),
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        )
        start_postgresql(runner, stack, data, primary)
        copy = folder / "standby"
        source = f"host=127.0.0.1 port={primary} user=postgres"
        runner.run(
            *(program("pg_basebackup"), "-D", copy, "-d", source, "-R", "-X", "stream"),
            *("--checkpoint=fast", "--no-sync"),
        )
        delay = f"recovery_min_apply_delay={APPLY_DELAY}ms"
        start_postgresql(runner, stack, copy, standby, delay)
        yield primary, standby


def start_postgresql(runner, stack, data, port, *settings):
    given = [
        "listen_addresses=127.0.0.1",
        f"unix_socket_directories={data}",
        "max_connections=200",
        "fsync=off",
        *settings,
    ]
    options = [part for each in given for part in ("-c", each)]
    log = data.with_suffix(".log")
    process = runner.start(log, program("postgres"), "-D", data, "-p", port, *options)
    # SIGINT ends the connections of clients that are still there.
    stack.callback(stop, process, signal.SIGINT)
    is_ready = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    started(process, lambda: subprocess.run(is_ready).returncode == 0, "PostgreSQL", log)


@contextmanager
def pgbouncer(postgresql_port):
    """PgBouncer in transaction mode, with fewer connections than it has clients; its port."""
    runner = Runner("postgres")
    with runner.folder() as folder, ExitStack() as stack:
        (port,) = free_ports(1)
        configuration, log = folder / "pgbouncer.ini", folder / "log"
        configuration.write_text(
            f"""
[databases]
* = host=127.0.0.1 port={postgresql_port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
admin_users = postgres
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
ignore_startup_parameters = extra_float_digits,options
server_idle_timeout = 5
"""
        )
        runner.own(configuration)
        process = runner.start(log, program("pgbouncer"), configuration)
        stack.callback(stop, process, signal.SIGINT)
        started(process, lambda: answers(port), "PgBouncer", log)
        yield port


class GaleraNode:
    """
    One MariaDB server of a cluster.

    Args:
        runner: runs it.
        folder: its own.
        addresses: the ports of the nodes among themselves.
        number: which of the nodes it is.
    """

    def __init__(self, runner, folder, addresses, number):
        self.runner = runner
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.process = None
        self.port, ist, sst = free_ports(3)
        own = addresses[number]
        cluster = ",".join(f"127.0.0.1:{port}" for port in addresses)
        self.configuration = folder / "my.cnf"
        self.configuration.write_text(
            f"""
[mariadbd]
datadir = {self.data}
socket = {folder}/socket
pid-file = {folder}/pid
port = {self.port}
bind-address = 127.0.0.1
skip-name-resolve
max_connections = 200
innodb_flush_log_at_trx_commit = 0
innodb_buffer_pool_size = 64M
innodb_autoinc_lock_mode = 2
innodb_lock_wait_timeout = 10
binlog_format = ROW
wsrep_on = ON
wsrep_provider = {GALERA}
wsrep_provider_options = "gmcast.listen_addr=tcp://127.0.0.1:{own};ist.recv_addr=127.0.0.1:{ist}"
wsrep_cluster_address = gcomm://{cluster}
wsrep_node_address = 127.0.0.1:{own}
wsrep_sst_method = rsync
wsrep_sst_receive_address = 127.0.0.1:{sst}
"""
        )
        runner.own(self.configuration)

    def start(self, *, first=False):
        """Start the node, and wait until it takes statements."""
        arguments = ["--wsrep-new-cluster"] if first else []
        self.process = self.runner.start(
            self.log, program("mariadbd"), f"--defaults-file={self.configuration}", *arguments
        )
        started(self.process, self.is_synced, "A node of Galera", self.log)

    def stop(self):
        """Let the node leave the cluster."""
        if self.process is not None:
            stop(self.process)

    def is_synced(self):
        return self.status("wsrep_local_state_comment") == "Synced"

    def status(self, name):
        """A value of SHOW STATUS; an empty text where the node takes no statements."""
        client = [program("mariadb"), "--no-defaults", "-h", "127.0.0.1", "-P", str(self.port)]
        query = f"SHOW GLOBAL STATUS LIKE '{name}'"
        done = subprocess.run(
            [*client, "-u", "root", "-BN", "-e", query], capture_output=True, text=True
        )
        return done.stdout.strip().partition("\t")[2]


@contextmanager
def galera(number=3):
    """A cluster of writable nodes; yields them."""
    if not Path(GALERA).exists():
        raise MissingServer(f"{GALERA} is not installed: .ci/cluster installs it.")
    runner = Runner("mysql")
    with ExitStack() as stack:
        addresses = free_ports(number)
        nodes = []
        for place in range(number):
            folder = stack.enter_context(runner.folder())
            nodes.append(GaleraNode(runner, folder, addresses, place))
        for node in nodes:
            runner.run(
                *(program("mariadb-install-db"), "--no-defaults", f"--datadir={node.data}"),
                *("--skip-test-db", "--auth-root-authentication-method=normal"),
            )
        for node in nodes:
            stack.callback(node.stop)
            node.start(first=node is nodes[0])
        yield nodes
