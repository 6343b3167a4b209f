#!/usr/bin/env python3
"""A real ClickHouse behind HTTP, out of the wheel chdb-core.

The wheel carries the whole engine, clickhouse-local among it, which understands SYSTEM START LISTEN: what then answers is
ClickHouse's own HTTP handler. It reads ./config.xml of its working directory.

It says "ready PORT NAME" on standard output. It stops on SIGTERM and SIGINT, and
  --until-eof    when its standard input ends, which it does when its parent is gone, or
  --while-used   when no process has held a shared lock on FOLDER/users for a while;
in the last two cases its data goes too.
"""
import argparse
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import sys
import threading
import time
import urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("--wheel", required=True, help="folder where the wheel is unpacked")
parser.add_argument("--dir", required=True, help="folder for its data, or for that of all engines with --while-used")
parser.add_argument("--port", type=int, default=0, help="0: any that is free")
parser.add_argument("--password", required=True, help="of the user `app`")
parser.add_argument("--until-eof", action="store_true")
parser.add_argument("--while-used", action="store_true")
options = parser.parse_args()

HOST = "127.0.0.1"
UNUSED_SECONDS = 10
folder = os.path.abspath(options.dir)
home = os.path.join(folder, f"engine-{os.getpid()}") if options.while_used else folder
name = f"apex-{os.getpid()}-{os.urandom(4).hex()}"  # identifies this engine in responses


def is_running(pid):
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        pass
    return True


if options.while_used:
    for left in os.listdir(folder):
        if left.startswith("engine-") and not is_running(left.removeprefix("engine-")):
            shutil.rmtree(os.path.join(folder, left), ignore_errors=True)

data = os.path.join(home, "data")
# With an existing metadata folder the engine drops tables in the background, as a server does.
os.makedirs(os.path.join(data, "metadata"), exist_ok=True)
port = options.port
if not port:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]

with open(os.path.join(home, "config.xml"), "w") as config:
    config.write(f"""<clickhouse>
  <listen_host>{HOST}</listen_host><http_port>{port}</http_port>
  <timezone>UTC</timezone><display_name>{name}</display_name>
  <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>67108864</mark_cache_size><uncompressed_cache_size>0</uncompressed_cache_size>
  <users_config>users.xml</users_config>
</clickhouse>
""")
# The engine's own session is `default`, without a password and with minimal rights; clients use
# `app`.
common = f"<networks><ip>{HOST}</ip></networks><profile>default</profile><quota>default</quota>"
digest = hashlib.sha256(options.password.encode()).hexdigest()
with open(os.path.join(home, "users.xml"), "w") as users:
    users.write(f"""<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users>
  <default><password></password>{common}<grants><query>GRANT SYSTEM LISTEN ON *.*</query>
    <query>GRANT CREATE TEMPORARY TABLE ON *.*</query><query>GRANT READ ON FILE</query></grants></default>
  <app><password_sha256_hex>{digest}</password_sha256_hex>{common}<access_management>1</access_management></app>
</users></clickhouse>
""")
os.chdir(home)

parent = os.dup(0)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # clickhouse-local takes its standard input for data
fifo = os.path.join(home, "stop.fifo")  # its last query waits for this to end
if not os.path.exists(fifo):
    os.mkfifo(fifo)
hold = os.open(fifo, os.O_RDWR)

# The extension alone: the package around it opens a connection of its own.
library = os.path.join(options.wheel, "chdb", "_chdb.abi3.so")
spec = importlib.util.spec_from_file_location("chdb._chdb", library)
engine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(engine)

stop = threading.Event()
orphaned = threading.Event()
failures = []


def run():
    try:
        sql = f"SYSTEM START LISTEN HTTP; SELECT count() FROM file('{fifo}', LineAsString, 'line String') FORMAT Null"
        result = engine.query(sql, "TSV", path=data)
        if result.has_error():
            failures.append(result.error_message())
        elif not stop.is_set():
            failures.append("it ended by itself")
    except BaseException as error:
        failures.append(repr(error))
    stop.set()


def until_eof():
    while os.read(parent, 4096):
        pass
    orphaned.set()
    stop.set()


def while_used():
    """Both starting to use an engine and stopping it need the lock on FOLDER/turn."""
    with open(os.path.join(folder, "users"), "w") as users, open(os.path.join(folder, "turn"), "w") as turn:
        used = time.monotonic()
        while not stop.wait(1.0):
            if not try_lock(users):
                used = time.monotonic()
                continue
            if time.monotonic() - used < UNUSED_SECONDS:
                fcntl.flock(users, fcntl.LOCK_UN)
                continue
            if try_lock(turn):
                forget()
                stop.set()
            fcntl.flock(users, fcntl.LOCK_UN)


def try_lock(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def forget():
    address = os.path.join(folder, "address")
    try:
        with open(address) as file:
            ours = name in file.read()
        if ours:
            os.remove(address)
    except FileNotFoundError:
        pass


def answers():
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/?query=SELECT+1", timeout=1) as answer:
            return answer.headers.get("X-ClickHouse-Server-Display-Name") == name
    except OSError:
        return False


signal.signal(signal.SIGTERM, lambda *_: stop.set())
signal.signal(signal.SIGINT, lambda *_: stop.set())
thread = threading.Thread(target=run, daemon=True)
thread.start()
if options.until_eof:
    threading.Thread(target=until_eof, daemon=True).start()
while not answers() and not stop.wait(0.02):
    pass
if not stop.is_set():
    if options.while_used:
        written = os.path.join(home, "address")
        with open(written, "w") as file:
            file.write(f"{port} {name}")
        os.rename(written, os.path.join(folder, "address"))
        threading.Thread(target=while_used, daemon=True).start()
    print(f"ready {port} {name}", flush=True)
while not stop.wait(1.0):
    pass
os.close(hold)
thread.join(0.5)
if options.while_used or orphaned.is_set():
    os.chdir("/")
    shutil.rmtree(home, ignore_errors=True)
if failures:
    print("ClickHouse's engine:", failures[0], file=sys.stderr, flush=True)
os._exit(1 if failures else 0)
