#!/bin/sh
# Installs contain's wheel on a host that has Python, but perhaps neither pip nor a network: install.sh PREFIX WHEEL MARKER
# The marker is a file in PREFIX that tells which wheel is there.
set -eu
prefix=$1 wheel=$2 marker=$3
new=$prefix.new
rm -rf "$new"
packages=$new/lib/python3/site-packages
mkdir -p "$packages" "$new/bin" /usr/local/bin /etc/motd.d
python3 -m zipfile -e "$wheel" "$packages"
# A wheel is an archive with a folder for what belongs elsewhere. zip knows no file modes here.
mv "$packages"/contain-*.data/data/bin/contain "$new/bin/contain"
rm -r "$packages"/contain-*.data
chmod 755 "$new/bin/contain"
# With the paths that the files will have, so that tracebacks name them. The launcher itself leaves no byte code behind.
python3 -m compileall -q -s "$new" -p "$prefix" "$packages"
touch "$new/$marker"
ln -sfn "$prefix/bin/contain" /usr/local/bin/contain
# One rename makes it whole: there is never half a contain where the command looks.
rm -rf "$prefix.old"
[ ! -e "$prefix" ] || mv "$prefix" "$prefix.old"
mv "$new" "$prefix"
rm -rf "$prefix.old"
