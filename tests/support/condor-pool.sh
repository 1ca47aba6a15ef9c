#!/usr/bin/env bash
# A real, private HTCondor pool (master, collector, negotiator, schedd, startd)
# for integration tests. Loopback only, no systemd, no daemon account, nothing
# installed into the host system. Works for root and for an ordinary user.
#
#   condor-pool.sh install   fetch and unpack HTCondor into a private prefix
#   condor-pool.sh start     install if needed, start the pool, wait until it is ready
#   condor-pool.sh status    exit 0 if the pool is ready, 3 if it is not
#   condor-pool.sh stop      stop every daemon and job; the job queue stays on disk
#   condor-pool.sh clean     stop, then delete the pool's state (not the prefix)
#   condor-pool.sh env       print the line a shell has to eval to use the pool
#
# Every subcommand may be repeated. Failures exit non-zero with a message.
#
# Settings, all optional:
#   CONDOR_SUITE     Debian suite to take HTCondor from       (trixie)
#   CONDOR_PREFIX    where the binaries go                    (~/.cache/condor-pool/SUITE)
#   CONDOR_POOL_DIR  where config, logs and job queue go      (/tmp/condor-pool-UID)
#   CONDOR_CPUS      CPUs the one partitionable slot claims   (8, overcommitted)
#   CONDOR_MEMORY    MiB it claims                            (16384, overcommitted)
#   CONDOR_EXTRA     file whose lines are appended to the pool's configuration
#   CONDOR_MINUTES   minutes after which the pool ends by itself          (never)
#
# How it works: the host's libc is too old for the packaged HTCondor, so the
# packages are unpacked next to their own libc and loader, and patchelf points
# the executables at those. The daemons and the jobs still see the host's file
# system, hence the host's Python and virtual environments.
#
# HTCondor refuses to run jobs as root. For root, the pool is therefore started
# in a user namespace where root is seen as POOL_USER: an unprivileged personal
# pool inside, root's access to its own files outside.
set -euo pipefail

SUITE=${CONDOR_SUITE:-trixie}
HOME=${HOME:-/tmp}
PREFIX=${CONDOR_PREFIX:-${XDG_CACHE_HOME:-$HOME/.cache}/condor-pool/$SUITE}
POOL=${CONDOR_POOL_DIR:-/tmp/condor-pool-$(id -u)}
CPUS=${CONDOR_CPUS:-8}
MEMORY=${CONDOR_MEMORY:-16384}
EXTRA=${CONDOR_EXTRA:-}
MINUTES=${CONDOR_MINUTES:-}
RECIPE=1                       # raise it when 'install' has to be done anew
STAMP=$PREFIX/.installed
PIDFILE=$POOL/master.pid
START_TIMEOUT=60
STOP_TIMEOUT=20
export CONDOR_CONFIG=$POOL/condor_config

if [ "$(id -u)" = 0 ]; then
    POOL_USER=daemon           # any account that exists and isn't root
else
    POOL_USER=$(id -un)
fi

say() { printf 'condor-pool: %s\n' "$*"; }
die() { printf 'condor-pool: error: %s\n' "$*" >&2; exit 1; }

# One subcommand at a time. The daemons must not inherit the lock (see start).
lock() {
    mkdir -p "$(dirname "$PREFIX")"
    exec 9>"$(dirname "$PREFIX")/.lock"
    flock -w 600 9 || die "another condor-pool.sh holds the lock for 600 s"
}

# ---------------------------------------------------------------- install

# The mirror that this machine's own apt sources name for its Debian release;
# an empty list folder makes the answer the same before the first apt-get update.
mirror() {
    local codename
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    apt-get -o Dir::State::lists="$PREFIX/apt/lists" update --print-uris |
        sed -n "s#^'\(.*\)/dists/$codename/InRelease'.*#\1#p" | sed -n 1p
}

# apt with indexes, cache and state of its own: the host's stay as they are.
# An empty status file makes the solver name the whole closure, libc included.
private_apt() {
    local tool=$1; shift
    "$tool" -qq \
        -o Dir::State="$PREFIX/apt" -o Dir::State::status="$PREFIX/apt/status" \
        -o Dir::Cache="$PREFIX/apt" -o Dir::Cache::pkgcache=pkgcache.bin \
        -o Dir::Etc::sourcelist="$PREFIX/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null \
        -o APT::Install-Recommends=false -o APT::Sandbox::User=root \
        -o Acquire::Retries=3 -o Acquire::Languages=none -o Acquire::GzipIndexes=false "$@"
}

is_elf() { [ "$(head -c4 "$1" | tail -c3)" = ELF ]; }

installed() { [ "$(cat "$STAMP" 2>/dev/null)" = "$RECIPE $SUITE $PREFIX" ]; }

do_install() {
    if installed; then
        say "already installed in $PREFIX"
        return
    fi
    local tool uri keyring options='' packages deb triplet loader path file
    for tool in apt-get dpkg-deb flock; do
        command -v "$tool" >/dev/null || die "'$tool' is needed (a Debian machine)"
    done
    case $PREFIX in *[[:space:]]*) die "CONDOR_PREFIX must not contain spaces" ;; esac
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$keyring" ] && options="[signed-by=$keyring]"

    [ ! -e "$PREFIX" ] || [ -e "$PREFIX/.condor-pool" ] ||
        die "$PREFIX exists and was not made by condor-pool.sh"
    rm -rf "$PREFIX"
    mkdir -p "$PREFIX"/apt/{lists/partial,archives/partial} "$PREFIX/debs"
    : >"$PREFIX/.condor-pool"
    uri=$(mirror) || true
    [ -n "$uri" ] || die "no Debian mirror found in this machine's apt sources"
    : >"$PREFIX/apt/status"
    echo "deb $options $uri $SUITE main" >"$PREFIX/apt/sources.list"

    say "reading the package index of $SUITE"
    private_apt apt-get update >"$PREFIX/apt/log" 2>&1 ||
        { tail -n 5 "$PREFIX/apt/log" >&2; die "apt-get update failed for $SUITE"; }

    # HTCondor and its shared libraries; no interpreters, no web assets.
    packages=$(private_apt apt-get install -s condor patchelf | awk '/^Inst/ { print $2 }' |
        grep -E '^(condor|patchelf|zlib1g|lib.*)$' |
        grep -vE '^lib(js-|python|perl|boost|pam-|c-gconv|systemd-shared|sepol|semanage)|-perl$') || true
    grep -qx condor <<<"$packages" || die "suite $SUITE has no installable 'condor' package"

    say "downloading $(wc -w <<<"$packages") packages"
    # shellcheck disable=SC2086
    (cd "$PREFIX/debs" && private_apt apt-get download $packages) >"$PREFIX/apt/log" 2>&1 ||
        { tail -n 5 "$PREFIX/apt/log" >&2; die "download failed"; }
    for deb in "$PREFIX"/debs/*.deb; do
        dpkg-deb -x "$deb" "$PREFIX" || die "cannot unpack $(basename "$deb")"
    done
    rm -rf "$PREFIX"/{apt,debs} "$PREFIX"/usr/share/{doc,man,locale,lintian,bash-completion} \
        "$PREFIX"/usr/lib/{python3,*/gconv,systemd}

    say "pointing the executables at their own libc"
    triplet=$(basename "$(dirname "$(find "$PREFIX/usr/lib" -name libc.so.6)")")
    loader=$(find "$PREFIX/usr/lib/$triplet" -maxdepth 1 -name 'ld-linux*.so.*')
    [ -n "$loader" ] || die "the unpacked libc has no loader"
    path=$PREFIX/usr/lib/$triplet:$PREFIX/usr/lib
    # DT_RPATH (not RUNPATH) also serves the libraries' own dependencies and
    # dlopen, and unlike LD_LIBRARY_PATH it never reaches a job.
    while read -r file; do
        is_elf "$file" || continue
        "$loader" --library-path "$path" "$PREFIX/usr/bin/patchelf" \
            --set-interpreter "$loader" --force-rpath --set-rpath "$path" "$file" 2>/dev/null ||
            rm -f "$file"      # statically linked test helpers, not needed
    done < <(find "$PREFIX"/usr/{bin,sbin,libexec} -type f -perm -100 ! -name patchelf)

    CONDOR_CONFIG=/dev/null "$PREFIX/usr/bin/condor_version" >/dev/null ||
        die "the unpacked HTCondor does not run here"
    echo "$RECIPE $SUITE $PREFIX" >"$STAMP"
    say "installed $(CONDOR_CONFIG=/dev/null "$PREFIX/usr/bin/condor_version" |
        awk 'NR == 1 { print $2 }') in $PREFIX ($(du -sm "$PREFIX" | cut -f1) MiB)"
}

# ---------------------------------------------------------------- start

write_config() {
    mkdir -p "$POOL"/{log,spool,execute,run,lock}
    chmod 755 "$POOL" "$POOL"/{log,spool,execute,run,lock}
    cat >"$CONDOR_CONFIG" <<EOF
# Written by condor-pool.sh at each start; daemons and clients both read it.
RELEASE_DIR = $PREFIX/usr
LOCAL_DIR = $POOL
EOF
    cat >>"$CONDOR_CONFIG" <<'EOF'
BIN = $(RELEASE_DIR)/bin
SBIN = $(RELEASE_DIR)/sbin
LIBEXEC = $(RELEASE_DIR)/libexec/condor
LIB = $(RELEASE_DIR)/lib
SHARE = $(RELEASE_DIR)/share/condor
LOG = $(LOCAL_DIR)/log
SPOOL = $(LOCAL_DIR)/spool
EXECUTE = $(LOCAL_DIR)/execute
RUN = $(LOCAL_DIR)/run
LOCK = $(LOCAL_DIR)/lock
LOCAL_CONFIG_FILE =
LOCAL_CONFIG_DIR =
# Clients that run as root would otherwise look for an account "condor".
CONDOR_IDS = 0.0
DAEMON_LIST = MASTER COLLECTOR NEGOTIATOR SCHEDD STARTD

# Loopback only, on ports the kernel picks; clients read the address files.
NETWORK_INTERFACE = 127.0.0.1
BIND_ALL_INTERFACES = False
ENABLE_IPV6 = False
NO_DNS = True
DEFAULT_DOMAIN_NAME = localdomain
CONDOR_HOST = 127.0.0.1
COLLECTOR_HOST = 127.0.0.1:0
USE_SHARED_PORT = False
MASTER_ADDRESS_FILE = $(LOG)/.master_address
COLLECTOR_ADDRESS_FILE = $(LOG)/.collector_address
SCHEDD_ADDRESS_FILE = $(LOG)/.schedd_address
UID_DOMAIN = test.pool
FILESYSTEM_DOMAIN = test.pool

# Whoever can create a directory in /tmp as the pool's owner is the pool's owner.
SEC_DEFAULT_AUTHENTICATION = REQUIRED
SEC_DEFAULT_AUTHENTICATION_METHODS = FS
# Current clients check a directory name that the 23.9 servers don't send yet.
SEC_FS_ENFORCE_CHANNEL_BINDING = False
ALLOW_READ = $(POOL_USER)@*
ALLOW_WRITE = $(POOL_USER)@*
ALLOW_DAEMON = $(POOL_USER)@*
ALLOW_NEGOTIATOR = $(POOL_USER)@*
ALLOW_ADMINISTRATOR = $(POOL_USER)@*

# One partitionable slot that always accepts and never preempts.
NUM_SLOTS = 1
NUM_SLOTS_TYPE_1 = 1
SLOT_TYPE_1 = 100%
SLOT_TYPE_1_PARTITIONABLE = True
START = True
SUSPEND = False
PREEMPT = False
KILL = False
WANT_SUSPEND = False
WANT_VACATE = False
RUNBENCHMARKS = False
# Without the procd, a startd from 25.x crashes when a starter is killed.
USE_PROCD = True
# Probing for these costs seconds at start; URL transfers by curl stay.
FILETRANSFER_PLUGINS = $(LIBEXEC)/curl_plugin, $(LIBEXEC)/data_plugin
STARTD_CRON_JOBLIST =
SINGULARITY = /bin/false
DOCKER =
JAVA =

# Answer within about a second instead of within minutes.
UPDATE_INTERVAL = 2
POLLING_INTERVAL = 2
NEGOTIATOR_INTERVAL = 1
NEGOTIATOR_MIN_INTERVAL = 1
NEGOTIATOR_CYCLE_DELAY = 1
SCHEDD_INTERVAL = 2
SCHEDD_MIN_INTERVAL = 1
SCHEDD_INTERVAL_TIMESLICE = 1
JOB_START_DELAY = 0
PERIODIC_EXPR_INTERVAL = 2
STARTER_UPDATE_INTERVAL = 2
STARTER_INITIAL_UPDATE_INTERVAL = 1
SHADOW_QUEUE_UPDATE_INTERVAL = 2
# Failover: don't wait long for a dead starter, nor keep a slot for a dead shadow.
RECONNECT_BACKOFF_CEILING = 1
JOB_DEFAULT_LEASE_DURATION = 60
CONDOR_FSYNC = False
EOF
    cat >>"$CONDOR_CONFIG" <<EOF
POOL_USER = $POOL_USER
NUM_CPUS = $CPUS
MEMORY = $MEMORY
EOF
    if [ -n "$EXTRA" ]; then
        cat "$EXTRA" >>"$CONDOR_CONFIG" || die "cannot read CONDOR_EXTRA=$EXTRA"
    fi
}

# The master's pid, or nothing when it is not running (a zombie is not).
master_pid() {
    local pid stat
    pid=$(cat "$PIDFILE" 2>/dev/null) || return 0
    stat=$(cat "/proc/$pid/stat" 2>/dev/null) || return 0
    [[ $stat == "$pid (condor_master) "[^ZX]* ]] && echo "$pid"
    return 0
}

# Ready: the collector knows a schedd and a slot of the present incarnation.
ready() {
    local ads
    [ -n "$(master_pid)" ] && [ -s "$POOL/log/.collector_address" ] || return 1
    ads=$("$PREFIX/usr/bin/condor_status" -any -af MyType 2>/dev/null) || return 1
    grep -qx Scheduler <<<"$ads" && grep -qx Machine <<<"$ads" && grep -qx Negotiator <<<"$ads"
}

do_start() {
    installed || do_install
    if [ -n "$(master_pid)" ]; then
        ready || die "a master runs (pid $(master_pid)) but the pool is not ready; see $POOL/log"
        say "already running (pid $(master_pid))"
        return
    fi
    local began=$SECONDS namespace=()
    sweep                      # in case the last master was killed
    write_config
    rm -f "$POOL"/log/.*_address
    if [ "$(id -u)" = 0 ]; then
        namespace=(unshare --user --map-user="$(id -u "$POOL_USER")" --map-group="$(id -g "$POOL_USER")")
        "${namespace[@]}" true 2>/dev/null ||
            die "root needs user namespaces to run a pool (unshare --user is refused here)"
    fi
    # A clean environment, as any _CONDOR_* variable would override the configuration.
    env -i PATH="$PATH" HOME="$HOME" ${TZ:+TZ="$TZ"} CONDOR_CONFIG="$CONDOR_CONFIG" \
        "${namespace[@]}" "$PREFIX/usr/sbin/condor_master" -pidfile "$PIDFILE" ${MINUTES:+-r "$MINUTES"} \
        9>&- </dev/null >"$POOL/master.out" 2>&1 ||
        { cat "$POOL/master.out" >&2; die "condor_master did not start"; }
    until ready; do
        # The master detaches itself; give it 5 s to be there at all.
        if [ $((SECONDS - began)) -ge "$START_TIMEOUT" ] ||
            { [ $((SECONDS - began)) -ge 5 ] && [ -z "$(master_pid)" ]; }; then
            tail -n 15 "$POOL"/log/{MasterLog,CollectorLog,SchedLog,StartLog} 2>/dev/null >&2 || true
            do_stop >/dev/null
            die "the pool was not ready after $((SECONDS - began)) s; see $POOL/log"
        fi
        sleep 0.1
    done
    say "ready (pid $(master_pid)); CONDOR_CONFIG=$CONDOR_CONFIG"
}

# ---------------------------------------------------------------- stop, status

# Kill what the last master left behind. HTCondor marks the environment of each
# of its descendants, jobs too, with the master's pid.
sweep() {
    local pid file left=()
    pid=$(cat "$PIDFILE" 2>/dev/null) || return 0
    for file in /proc/[0-9]*/environ; do
        if grep -qzs "^_CONDOR_ANCESTOR_$pid=" "$file"; then
            file=${file#/proc/}
            left+=("${file%/environ}")
        fi
    done
    [ ${#left[@]} = 0 ] || kill -KILL "${left[@]}" 2>/dev/null || true
    rm -f "$PIDFILE"
}

do_stop() {
    local pid began=$SECONDS
    pid=$(master_pid)
    if [ -z "$pid" ]; then
        sweep
        say "not running"
        return
    fi
    kill -QUIT "$pid" 2>/dev/null || true          # fast shutdown: jobs are killed
    while [ -n "$(master_pid)" ] && [ $((SECONDS - began)) -lt "$STOP_TIMEOUT" ]; do
        sleep 0.1
    done
    [ -z "$(master_pid)" ] || kill -KILL "$pid" 2>/dev/null || true
    echo "$pid" >"$PIDFILE"                        # a master that ended took it away
    sweep
    say "stopped"
}

do_clean() {
    [ ! -e "$POOL" ] || grep -qs '^# Written by condor-pool.sh' "$CONDOR_CONFIG" ||
        die "$POOL was not made by condor-pool.sh"
    rm -rf "$POOL"
}

do_status() {
    if ready; then
        say "ready (pid $(master_pid)); CONDOR_CONFIG=$CONDOR_CONFIG"
        "$PREFIX/usr/bin/condor_status" -af:h Name State Cpus Memory CondorVersion
        "$PREFIX/usr/bin/condor_q" -totals -allusers
    elif [ -n "$(master_pid)" ]; then
        say "running (pid $(master_pid)) but not ready; see $POOL/log"
        exit 3
    else
        say "not running"
        exit 3
    fi
}

case ${1:-} in
    install) lock; do_install ;;
    start)   lock; do_start ;;
    stop)    lock; do_stop ;;
    clean)   lock; do_stop; do_clean ;;
    status)  do_status ;;
    env)     printf 'export CONDOR_CONFIG=%q\n' "$CONDOR_CONFIG" ;;
    *)       sed -n '2,14p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
esac
