#!/usr/bin/env bash
# github.com/kolo/xmlrpc v0.0.0-20220921171641: an answer that is empty leaves the variable as it was, and a string ends at CDATA.
#
# Decoding <value/>, <nil/>, an empty string or an array without elements returns no error and does not touch the variable,
# so whoever uses it again after another call has what that one answered: an empty text is the one before. Of a string with
# a CDATA section only what stands before it arrives, without an error.
#
# one-ft takes the elements of an answer into a fresh slice, where an empty string is nil, refuses an answer that has too
# few, and writes text anew without CDATA before the package reads it.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
gobuild github.com/kolo/xmlrpc v0.0.0-20220921171641-a4b6fa1dd06b <<'GO'
package main

import (
	"fmt"

	"github.com/kolo/xmlrpc"
)

func main() {
	for _, value := range []string{
		"<value><string>new</string></value>", "<value/>", "<value></value>", "<value><nil/></value>", "<value><string></string></value>",
		"<value><string> new </string></value>", "<value><string>a<![CDATA[<b>]]>c</string></value>",
	} {
		text := "old"
		err := decode(value, &text)
		fmt.Printf("%s: %q, %v\n", value, text, err)
	}
	list := []any{true, "the VM before"}
	err := decode("<value><array><data></data></array></value>", &list)
	fmt.Printf("an empty array: %v, %v\n", list, err)
}

func decode(value string, into any) error {
	return xmlrpc.Response("<methodResponse><params><param>" + value + "</param></params></methodResponse>").Unmarshal(into)
}
GO
got=$(./try)
want='<value><string>new</string></value>: "new", <nil>
<value/>: "old", <nil>
<value></value>: "old", <nil>
<value><nil/></value>: "old", <nil>
<value><string></string></value>: "old", <nil>
<value><string> new </string></value>: " new ", <nil>
<value><string>a<![CDATA[<b>]]>c</string></value>: "a", <nil>
an empty array: [true the VM before], <nil>'
compare "$got" "$want"
