#!/usr/bin/env bash
# go.yaml.in/yaml/v3 v3.0.6: with KnownFields a wrong key is an error, but values are lost without one.
#
# 3.5 for an int is 3. A list of strings with an empty element (null) loses the element, so that what stood third is second.
# A key without a value keeps what a string, a number or a struct had before and makes a list nil and a pointer nil, so
# "levels:" takes the default away where "timeout:" keeps it. 010 is 8, and so is 08. A quoted 'yes' is true for a bool, while
# a quoted '5' is an error for an int. After "..." nothing is read any more, not even whether it is YAML.
#
# one-ft takes nodes from the package and reads each value itself.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
gobuild go.yaml.in/yaml/v3 v3.0.6 <<'GO'
package main

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

type settings struct {
	Text  string
	Count int
	On    bool
	List  []string
	Next  *int
}

func main() {
	for _, text := range []string{
		"count: 3.5", "list: [a, ~, b]", "list: [a, '', b]", "text:", "count:", "list:", "next:", "count: 010", "count: 08", "on: 'yes'",
		"count: '5'", "count: 1\n...\n{{{", "counts: 1",
	} {
		n := 9
		s := settings{Text: "default", Count: 9, List: []string{"default"}, Next: &n}
		decoder := yaml.NewDecoder(strings.NewReader(text))
		decoder.KnownFields(true)
		err := decoder.Decode(&s)
		fmt.Printf("%q: text %s, count %d, on %v, list %q, next %v, error %v\n", text, s.Text, s.Count, s.On, s.List, s.Next != nil, err != nil)
	}
}
GO
got=$(./try)
want='"count: 3.5": text default, count 3, on false, list ["default"], next true, error false
"list: [a, ~, b]": text default, count 9, on false, list ["a" "b"], next true, error false
"list: [a, '\'\'', b]": text default, count 9, on false, list ["a" "" "b"], next true, error false
"text:": text default, count 9, on false, list ["default"], next true, error false
"count:": text default, count 9, on false, list ["default"], next true, error false
"list:": text default, count 9, on false, list [], next true, error false
"next:": text default, count 9, on false, list ["default"], next false, error false
"count: 010": text default, count 8, on false, list ["default"], next true, error false
"count: 08": text default, count 8, on false, list ["default"], next true, error false
"on: '\'yes\''": text default, count 9, on true, list ["default"], next true, error false
"count: '\'5\''": text default, count 9, on false, list ["default"], next true, error true
"count: 1\n...\n{{{": text default, count 1, on false, list ["default"], next true, error false
"counts: 1": text default, count 9, on false, list ["default"], next true, error true'
compare "$got" "$want"
