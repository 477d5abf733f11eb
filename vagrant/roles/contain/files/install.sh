# Installs contain from its wheel on a host that has Python, but perhaps neither pip nor a network: install.sh PREFIX MARKER WORDS
# The wheel comes base64-encoded on standard input. MARKER is a file in PREFIX, there when all is. WORDS are shown at login.
set -eu
prefix=$1 marker=$2 words=$3
new=$prefix.new
rm -rf "$new"
packages=$new/lib/python3/site-packages
mkdir -p "$packages" "$new/bin" /usr/local/bin /etc/motd.d
base64 -d >"$new/wheel.zip"
python3 -m zipfile -e "$new/wheel.zip" "$packages"
rm "$new/wheel.zip"
# What belongs outside of the packages lies in a folder of its own in a wheel. zip knows no file modes here.
mv "$packages"/contain-*.data/data/bin/contain "$new/bin/contain"
rm -r "$packages"/contain-*.data
chmod 755 "$new/bin/contain"
# With the paths that the files will have, so that tracebacks name them.
python3 -m compileall -q -s "$new" -p "$prefix" "$packages"
touch "$new/${marker##*/}"
printf '%s' "$words" >/etc/motd.d/contain
ln -sfn "$prefix/bin/contain" /usr/local/bin/contain
# Renamed in one piece: there is never half a contain where the command looks.
rm -rf "$prefix.old"
[ ! -e "$prefix" ] || mv "$prefix" "$prefix.old"
mv "$new" "$prefix"
rm -rf "$prefix.old"
