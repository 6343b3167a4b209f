#!/usr/bin/env bash
# Nodemailer: the header for unsubscribing with one click is written as a link to a host that does not exist.
# RFC 8058 sets the value of List-Unsubscribe-Post, and large mailbox providers require it of bulk senders. The
# list option treats every value as an address. It also repeats a field that RFC 2369 allows once.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  nodemailer@10.6.1 >/dev/null

cat >demo.mjs <<'EOF'
import nodemailer from 'nodemailer';
const transport = nodemailer.createTransport({ streamTransport: true, buffer: true });
const { message } = await transport.sendMail({
  from: 'billing@example.com', to: 'buyer@example.com', subject: 'Usage report', text: 'x',
  list: { unsubscribe: ['https://example.com/u/1', 'u@example.com'], 'unsubscribe-post': 'List-Unsubscribe=One-Click' },
});
for (const [line] of message.toString().matchAll(/^List-.*$/gm)) console.log(line.trim());
EOF
observed=$(node demo.mjs)

expected=$(cat <<'EOF'
List-Unsubscribe: <https://example.com/u/1>, <mailto:u@example.com>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
EOF
)
recorded=$(cat <<'EOF'
List-Unsubscribe: <https://example.com/u/1>
List-Unsubscribe: <mailto:u@example.com>
List-Unsubscribe-Post: <http://List-Unsubscribe=One-Click>
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "nodemailer 10.6.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
