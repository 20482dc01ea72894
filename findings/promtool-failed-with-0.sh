#!/usr/bin/env bash
# Prometheus 2.42.0 (Debian 12): "promtool check rules" writes FAILED and "lint error" for an alert that is there twice, and
# ends with 0; with --lint-fatal it ends with 3.
#
# An error of syntax ends it with 1, so a check in CI looks as if it would catch both. Also, absent() only knows the labels
# of a plain selector: where anything is done with the series inside, as in absent(x{job="a"} > 5), the alert has no
# labels, and a route by a label does not see it. An empty matcher (zone="") gives no label, either.
#
# one-ft's alerts are played by "promtool test rules" with series that are missing, and the labels are a part of what is
# expected.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
debs prometheus=2.42.0+ds-5+deb12u1
rules() { printf 'groups:\n- name: one-ft\n  rules:\n' >"$1"; printf '  - {alert: %s, expr: %s}\n' "${@:2}" >>"$1"; }
rules good.yaml HostSilent 'x > 1'
rules twice.yaml HostSilent 'x > 1' HostSilent 'x > 1'
rules bad.yaml HostSilent 'x > > 1'

# checked OPTION... FILE: the exit code, and whether it writes FAILED.
checked() {
  local code=0
  root/usr/bin/promtool check rules "$@" >said 2>&1 || code=$?
  echo "exit code $code, FAILED $(grep -c FAILED said || true)"
}
# absent EXPRESSION: the labels of absent() of it, as a test of rules reports them.
absent() {
  printf '%s\n' 'rule_files: []' 'tests:' '- promql_expr_test:' \
    "  - {expr: 'absent($1)', eval_time: 5m, exp_samples: [{labels: 'no{}', value: 2}]}" >test.yaml
  { root/usr/bin/promtool test rules test.yaml 2>&1 || true; } | sed -n 's/^ *got: *\({.*}\).*/\1/p'
}
got="a good file: $(checked good.yaml)
an alert twice: $(checked twice.yaml), with --lint-fatal: $(checked --lint-fatal twice.yaml)
bad syntax: $(checked bad.yaml)
labels of absent: $(absent 'x{job="a",zone=""}'), with a comparison: $(absent 'x{job="a"} > 5')"
want='a good file: exit code 0, FAILED 0
an alert twice: exit code 0, FAILED 1, with --lint-fatal: exit code 3, FAILED 1
bad syntax: exit code 1, FAILED 1
labels of absent: {job="a"}, with a comparison: {}'
compare "$got" "$want"
