#!/bin/sh
# Installs or upgrades Intact from this bundle, without any network. See docs/operating.md.
#
#   ./install.sh [--prefix DIR] [--python PYTHON] [--program-only]
#
# --prefix DIR     where the program goes (default /opt/intact)
# --python PYTHON  the Python to use (default python3.11, else python3); it needs its venv module
# --program-only   the program alone: no account, no settings, no systemd unit
set -eu

prefix=/opt/intact
python=
service=yes
say() { printf '%s\n' "$*"; }
give_up() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case "$1" in
        --prefix) [ $# -ge 2 ] || give_up "--prefix needs a folder"; prefix=$2; shift 2 ;;
        --python) [ $# -ge 2 ] || give_up "--python needs a program"; python=$2; shift 2 ;;
        --program-only) service=no; shift ;;
        *) give_up "$1 is no option; there are --prefix DIR, --python PYTHON, --program-only" ;;
    esac
done

[ "$service" = no ] || [ "$(id -u)" = 0 ] || give_up "the service is installed by root; use sudo, or --program-only"

cd "$(dirname "$0")"
version=$(cat VERSION)
wanted=$(cat PYTHON)

# 1. The bundle is whole.
sha256sum --check --quiet --strict SHA256SUMS || give_up "the bundle is damaged; copy it again"

# 2. The Python that its wheels were built for.
[ -n "$python" ] || python=$(command -v "python$wanted" || command -v python3) || give_up "no Python here; install python$wanted"
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || give_up "$python does not run"
[ "$found" = "$wanted" ] || give_up "$python is Python $found, this bundle is for $wanted; name another with --python"

# 3. A folder of its own, complete before anything points to it.
release=$prefix/releases/$version-$(date +%Y%m%dT%H%M%S)
mkdir -p "$prefix/releases"
trap 'rm -rf "$release"' EXIT
"$python" -m venv "$release" || give_up "$python cannot make environments; install python$wanted-venv"
"$release/bin/python" -m pip install --quiet --disable-pip-version-check \
    --no-index --find-links wheels --require-hashes --requirement requirements.txt
mkdir -p "$release/share/intact"
cp -R share/. "$release/share/intact/"

if [ "$service" = yes ]; then
    data=/var/lib/intact
    if systemctl is-active --quiet intact 2>/dev/null; then
        say "Stopping Intact."
        systemctl stop intact
    fi
    # 4. A backup first: the SQLite database and the key. PostgreSQL: see the operator's guide.
    if [ -d "$data" ] && [ -n "$(ls -A "$data")" ]; then
        backup=/var/backups/intact/$(date +%Y%m%dT%H%M%S)-before-$version
        mkdir -p -m 0700 "$backup"
        cp -a "$data/." "$backup/"
        say "Backup: $backup"
    fi
fi

# 5. In one rename the new version is in use; the former ones stay beside it.
ln -sfn "releases/${release##*/}" "$prefix/current.new"
mv -T "$prefix/current.new" "$prefix/current"
trap - EXIT
say "Intact $version is installed in $prefix."

if [ "$service" = yes ]; then
    getent passwd intact >/dev/null || useradd --system --home-dir /var/lib/intact --shell /usr/sbin/nologin intact
    install -d -m 0750 -o root -g intact /etc/intact
    install -d -m 0750 -o intact -g intact /var/lib/intact
    [ -e /etc/intact/intact.toml ] || install -m 0640 -o root -g intact share/intact.example.toml /etc/intact/intact.toml
    install -d -m 0711 /var/backups/intact
    install -d -m 0700 -o intact -g intact /var/backups/intact/nightly
    install -m 0644 share/systemd/intact.service share/systemd/intact-backup.service \
        share/systemd/intact-backup.timer /etc/systemd/system/
    ln -sfn "$prefix/current/bin/intact" /usr/local/bin/intact
    systemctl daemon-reload
    say "Look over /etc/intact/intact.toml, then: systemctl enable --now intact intact-backup.timer"
fi
