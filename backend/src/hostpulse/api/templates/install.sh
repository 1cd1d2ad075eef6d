#!/bin/sh
# Installs the Hostpulse agent on this Linux machine, or brings it up to date:
#
#   curl -fsSL <address of the server>/install.sh | sudo sh -s -- --token TOKEN
#
# It downloads one file, the agent's wheel, from the same server, and compares its SHA-256 with the
# one below. psutil and requests are the distribution's, or else come from the package index.
set -eu
umask 022

url=@URL@
wheel=@WHEEL@
sha256=@SHA256@

usage() {
    cat <<'END'
usage: sh install.sh --token TOKEN [options]

  --token TOKEN       the token of "Add server"; it is good once, and not for long
  --token-file FILE   a file that holds it
  --hostname NAME     how the server is called; its own name by default
  --tags TAGS         words or key:value, separated by commas
  --ca-file FILE      certificates to trust instead of the system's own
  --allow-plaintext   send the key readable, over http://, to another machine
  --again             enrol anew, though there is a key
  --dry-run           say what would be done, and do nothing
  --uninstall         remove the agent, its key and its settings
  --root DIR          put everything below DIR and start nothing
END
}

say() {
    printf '%s\n' "$*"
}

die() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

# Runs a command, or says it.
run() {
    if [ -n "$is_dry" ]; then
        say "would run: $*"
    else
        "$@" </dev/null
    fi
}

read_arguments() {
    token='' token_file='' hostname='' tags='' ca_file='' root=''
    plaintext='' again='' is_dry='' is_uninstall=''
    while [ $# -gt 0 ]; do
        case $1 in
            --token | --token-file | --hostname | --tags | --ca-file | --root)
                [ $# -gt 1 ] || die "$1: a value is missing; see --help."
                ;;
        esac
        case $1 in
            --token) token=$2 && shift ;;
            --token-file) token_file=$2 && shift ;;
            --hostname) hostname=$2 && shift ;;
            --tags) tags=$2 && shift ;;
            --ca-file) ca_file=$2 && shift ;;
            --root) root=$2 && shift ;;
            --allow-plaintext) plaintext=yes ;;
            --again) again=yes ;;
            --dry-run) is_dry=yes ;;
            --uninstall) is_uninstall=yes ;;
            -h | --help) usage && exit 0 ;;
            *) die "$1: there is no such option; see --help." ;;
        esac
        shift
    done
    if [ -n "$token_file" ]; then
        [ -r "$token_file" ] || die "--token-file: cannot read $token_file."
        token=$(cat "$token_file")
    fi
    if [ -n "$ca_file" ]; then
        [ -r "$ca_file" ] || die "--ca-file: cannot read $ca_file."
        ca_file=$(absolute "$ca_file")
    fi
    [ -z "$root" ] || root=$(absolute "$root")
    sudo='sudo '
    [ -z "$root" ] || sudo=''
    app=$root/opt/hostpulse-agent
    settings=$root/etc/hostpulse
    units=$root/etc/systemd/system
    state=$root/var/lib
}

absolute() {
    case $1 in
        /*) printf '%s' "$1" ;;
        *) printf '%s/%s' "$PWD" "$1" ;;
    esac
}

check_rights() {
    [ "$(uname -s)" = Linux ] || die "the agent needs Linux."
    [ -n "$root$is_dry" ] || [ "$(id -u)" -eq 0 ] || die "run it as root: … | sudo sh -s -- …"
}

check_address() {
    case $url in
        https://* | http://localhost | http://localhost:* | http://127.* | 'http://[::1]'*) return ;;
    esac
    [ -n "$plaintext" ] || die "$url has no TLS, so the key would travel readable; use https://, or \
--allow-plaintext on a closed network."
}

check_token() {
    [ -n "$token" ] || [ -s "$settings/agent.key" ] ||
        die "give the token of \"Add server\": --token TOKEN."
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9; do
        python=$(command -v "$name") || continue
        if "$python" -I -c 'import sys, venv; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
            return
        fi
    done
    die "Python 3.9 or newer is missing; install the package python3 of your distribution."
}

# Succeeds if the distribution has both modules, and new enough.
has_modules() {
    "$python" -I - 2>/dev/null <<'END'
import sys
from importlib.metadata import version


def has(name, *least):
    return tuple(int(part) for part in version(name).split(".")[:2]) >= least


import psutil, requests

sys.exit(not (has("psutil", 5, 9) and has("requests", 2, 28)))
END
}

has_pip() {
    "$python" -I -c 'import ensurepip' 2>/dev/null
}

# Leaves a way to psutil and requests: the distribution's, or pip and the package index.
find_modules() {
    source='the distribution'
    has_modules && return
    if ! has_pip && command -v apt-get >/dev/null; then
        say "psutil and requests are missing: installing python3-psutil and python3-requests."
        run apt-get -qq update
        run env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq -y --no-install-recommends install python3-psutil python3-requests
        [ -n "$is_dry" ] && return
        has_modules && return
    fi
    source='the package index'
    has_pip || die "psutil 5.9 and requests 2.28 are missing, and so is pip to get them with; \
install python3-psutil and python3-requests of your distribution, or python3-venv."
}

# Downloads $1 to $2 and prints its SHA-256.
download() {
    "$python" -I - "$1" "$2" "$ca_file" <<'END'
import hashlib
import ssl
import sys
import urllib.request

url, target, ca_file = sys.argv[1:]
try:
    context = ssl.create_default_context(cafile=ca_file or None)
    with urllib.request.urlopen(url, timeout=30, context=context) as answer:
        content = answer.read()
except OSError as error:
    sys.exit(f"install.sh: cannot download {url}: {getattr(error, 'reason', error)}")
with open(target, "wb") as file:
    file.write(content)
print(hashlib.sha256(content).hexdigest())
END
}

fetch_wheel() {
    say "Downloading $url/agent/$wheel"
    say "  SHA-256 $sha256"
    [ -z "$is_dry" ] || return 0
    found=$(download "$url/agent/$wheel" "$draft/$wheel") || exit 1
    [ "$found" = "$sha256" ] || die "what came has the SHA-256 $found; nothing was installed."
}

make_environment() {
    say "Installing it into $app with $python, psutil and requests from $source"
    [ -z "$is_dry" ] || return 0
    rm -rf "$app.new"
    mkdir -p "$(dirname "$app")"
    if [ "$source" = 'the distribution' ]; then
        "$python" -I -m venv --without-pip --system-site-packages "$app.new"
    else
        "$python" -I -m venv "$app.new"
        "$app.new/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-input \
            'psutil>=5.9' 'requests>=2.28' </dev/null
    fi
    packages=$("$app.new/bin/python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    # A wheel of Python alone is a zip of what belongs there.
    "$python" -I -m zipfile -e "$draft/$wheel" "$packages"
    "$app.new/bin/python" -I -m compileall -q -s "$app.new" -p "$app" "$packages/hostpulse_agent"
    cat >"$app.new/bin/hostpulse-agent" <<END
#!/bin/sh
exec "$app/bin/python" -I -m hostpulse_agent "\$@"
END
    chmod 755 "$app.new/bin/hostpulse-agent"
    cp "$packages/hostpulse_agent/hostpulse-agent.service" "$app.new/"
    uninstaller >"$app.new/uninstall.sh"
}

enrol() {
    if [ -s "$settings/agent.key" ] && [ -z "$again" ]; then
        say "This machine is enrolled: its key in $settings/agent.key stays (--again gets a new one)"
        return
    fi
    say "Enrolling at $url"
    [ -z "$is_dry" ] || return 0
    mkdir -p "$settings"
    set -- "$url" --token-file - --config "$settings/agent.ini" --key-file "$settings/agent.key"
    if [ -n "$ca_file" ]; then
        cp "$ca_file" "$settings/agent-ca.pem"
        chmod 644 "$settings/agent-ca.pem"
        set -- "$@" --ca-file "$settings/agent-ca.pem"
    fi
    [ -z "$hostname" ] || set -- "$@" --hostname "$hostname"
    [ -z "$tags" ] || set -- "$@" --tags "$tags"
    [ -z "$plaintext" ] || set -- "$@" --allow-plaintext yes
    [ -z "$again" ] || set -- "$@" --again
    # By standard input, because everybody may read the arguments of a process.
    printf '%s\n' "$token" | "$app.new/bin/python" -I -m hostpulse_agent enrol "$@" || exit 1
}

put_in_place() {
    [ -z "$is_dry" ] || return 0
    rm -rf "$app.old"
    [ ! -d "$app" ] || mv "$app" "$app.old"
    mv "$app.new" "$app"
    rm -rf "$app.old"
}

has_systemd() {
    [ -z "$root" ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null
}

check_systemd() {
    has_systemd || return 0
    # Before 247 a unit cannot be given a key that nobody else may read.
    version=$(systemctl --version | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 247 ] || die "systemd $version is too old for the unit, it needs 247."
}

install_unit() {
    if [ -n "$root" ] || has_systemd; then
        say "Installing the unit $units/hostpulse-agent.service"
        run mkdir -p "$units"
        run cp "$app/hostpulse-agent.service" "$units/hostpulse-agent.service"
        run chmod 644 "$units/hostpulse-agent.service"
    fi
    if [ -z "$root" ] && command -v restorecon >/dev/null; then
        run restorecon -R "$app" "$settings" "$units/hostpulse-agent.service"
    fi
}

start() {
    if ! has_systemd; then
        say "systemd does not run here, so nothing was started. This starts the agent:"
        say "  $app/bin/hostpulse-agent --config $settings/agent.ini"
        return
    fi
    run systemctl daemon-reload
    run systemctl --quiet enable hostpulse-agent
    run systemctl restart hostpulse-agent ||
        die "the agent did not start; journalctl -u hostpulse-agent says why."
    [ -n "$is_dry" ] || say "It runs: systemctl status hostpulse-agent"
}

uninstaller() {
    cat <<END
#!/bin/sh
# Removes the Hostpulse agent, its key, its settings and reports that were not delivered.
set -eu
END
    [ -n "$root" ] || cat <<'END'
[ "$(id -u)" -eq 0 ] || { echo "run it as root" >&2; exit 1; }
if [ -d /run/systemd/system ]; then
    systemctl --quiet disable --now hostpulse-agent 2>/dev/null || true
fi
END
    cat <<END
rm -f "$units/hostpulse-agent.service"
rm -f "$settings/agent.ini" "$settings/agent.key" "$settings/agent-ca.pem"
rmdir "$settings" 2>/dev/null || true
rm -rf "$state/hostpulse-agent" "$state/private/hostpulse-agent"
rm -rf "$app"
END
    [ -n "$root" ] || cat <<'END'
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
END
    cat <<'END'
echo "The Hostpulse agent is removed. Its key is good until its server is deleted on the page."
END
}

uninstall() {
    if [ -n "$is_dry" ]; then
        uninstaller
    else
        uninstaller | sh
    fi
}

main() {
    read_arguments "$@"
    check_rights
    cd /  # nothing is imported from where this was started
    if [ -n "$is_uninstall" ]; then
        uninstall
        return
    fi
    check_address
    check_token
    check_systemd
    find_python
    find_modules
    draft=$(mktemp -d)
    trap 'rm -rf "$draft" "$app.new"' EXIT
    trap 'exit 1' HUP INT TERM
    fetch_wheel
    make_environment
    enrol
    put_in_place
    install_unit
    start
    [ -n "$is_dry" ] || say "To remove it: ${sudo}sh $app/uninstall.sh"
}

# Last, so that half a download does nothing.
main "$@"
