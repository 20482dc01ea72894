#!/bin/bash
# What sites have: the host template in base64 on standard input, exit code 0 for off.
HOST_TEMPLATE=$(cat -)
XML=$(echo "$HOST_TEMPLATE" | base64 -d)
FENCE_IP=$(echo "$XML" | sed -n 's:.*<FENCE_IP>\(.*\)</FENCE_IP>.*:\1:p')
echo run >>"$FENCE_IP/calls"
echo "host is $XML, as $HOST_TEMPLATE, for $1 in $SITE"
RETRIES=$(cat "$FENCE_IP/fails")
[ "$(grep -c run "$FENCE_IP/calls")" -gt "$RETRIES" ] && exit 0
exit 7
