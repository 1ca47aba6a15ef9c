#!/usr/bin/env bash
# Apptainer for tests: Debian has it in sid alone, so its packages are unpacked beside their own libc, and the host's stay
# as they are. Usage: install-apptainer.sh [FOLDER]; does nothing where it is there already.
set -euo pipefail
home=${1:-${EWMS_TEST_APPTAINER:-$HOME/.cache/ewms-tests/apptainer}}
suite=sid
packages="apptainer squashfs-tools squashfuse libsquashfuse0 libfuse3-4 libseccomp2 libc6 libgcc-s1 libstdc++6 libzstd1 zlib1g
    liblz4-1 liblzma5 liblzo2-2 libsubid6 libaudit1 libcap-ng0 libselinux1 libpcre2-8-0 libsemanage2 libsepol2 libbz2-1.0
    libbsd0 libmd0 libacl1 libpam0g libcrypt1 libxxhash0 patchelf"

mkdir -p "$(dirname "$home")"
exec 9>"$home.lock"
flock 9
[ -e "$home/.ready" ] && [ -e "$home/usr/lib/etc" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/apt/{lists,archives}/partial "$work"/{debs,root}
: >"$work/apt/status"
# The mirror that this machine's own sources name.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u | grep -v security | head -n 1)
[ -n "$mirror" ] || { echo "no Debian mirror in this machine's apt sources; run apt-get update" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/apt/sources.list"
private() { # apt with indexes, cache and state of its own
    local tool=$1
    shift
    "$tool" -qq -o Dir::State="$work/apt" -o Dir::State::status="$work/apt/status" -o Dir::Cache="$work/apt" \
        -o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none \
        -o Acquire::Retries=3 "$@"
}
private apt-get update
# shellcheck disable=SC2086
(cd "$work/debs" && private apt-get download $packages)
for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/root"; done
rm -rf "$work"/root/usr/share/{doc,man,locale}
rm -rf "$home"
mv "$work/root" "$home"

libraries=$home/usr/lib/$(basename "$(dirname "$(find "$home/usr/lib" -name libc.so.6)")")
loader=$(find "$libraries" -maxdepth 1 -name 'ld-linux*.so.*')
for program in "$home"/usr/bin/{unsquashfs,mksquashfs,squashfuse,squashfuse_ll,apptainer} "$libraries/apptainer/bin/starter"; do
    "$loader" --library-path "$libraries" "$home/usr/bin/patchelf" \
        --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$program"
done
# It looks for these relative to where it lies; for a user without root, to where its helper lies.
ln -s ../etc "$home/usr/etc"
ln -s ../../etc "$home/usr/lib/etc"
mkdir -p "$home"/usr/{lib/,}var/lib/apptainer/mnt/session
"$home/usr/bin/apptainer" --version && touch "$home/.ready"
