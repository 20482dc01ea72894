package cloud

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// xmlBuffer writes object XML the way oned does: no white space between
// elements, text as it is, template values in CDATA sections.
type xmlBuffer struct{ strings.Builder }

// open writes a start tag.
func (b *xmlBuffer) open(name string) {
	b.WriteByte('<')
	b.WriteString(name)
	b.WriteByte('>')
}

// end writes an end tag.
func (b *xmlBuffer) end(name string) {
	b.WriteString("</")
	b.WriteString(name)
	b.WriteByte('>')
}

// text writes an element with escaped text.
func (b *xmlBuffer) text(name, value string) {
	b.open(name)
	if strings.ContainsAny(value, "&<>\"'") {
		value = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(value)
	}
	b.WriteString(value)
	b.end(name)
}

// number writes an element with a number.
func (b *xmlBuffer) number(name string, value int64) {
	b.open(name)
	b.WriteString(strconv.FormatInt(value, 10))
	b.end(name)
}

// cdata writes an element with a CDATA section. As in oned, nothing splits a
// "]]>" in the value.
func (b *xmlBuffer) cdata(name, value string) {
	b.open(name)
	b.WriteString("<![CDATA[")
	b.WriteString(value)
	b.WriteString("]]>")
	b.end(name)
}

// attributes writes a template: simple attributes and sections, by name.
func (b *xmlBuffer) attributes(simple map[string]string, sections map[string][]map[string]string) {
	names := slices.AppendSeq(slices.Collect(maps.Keys(simple)), maps.Keys(sections))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if value, ok := simple[name]; ok {
			b.cdata(name, value)
		}
		for _, section := range sections[name] {
			b.open(name)
			for _, key := range slices.Sorted(maps.Keys(section)) {
				b.cdata(key, section[key])
			}
			b.end(name)
		}
	}
}

// ids writes a list of IDs.
func (b *xmlBuffer) ids(name string, ids []int) {
	b.open(name)
	for _, id := range ids {
		b.number("ID", int64(id))
	}
	b.end(name)
}

// account is a user with its group: the administrator in group oneadmin, alice in group users, as in
// the recorded clouds.
func account(uid int, admin string) (gid int, user, group string) {
	if uid == AliceID {
		return 1, aliceName, "users"
	}
	return 0, admin, "oneadmin"
}

// owner writes UID, GID, UNAME and GNAME.
func (b *xmlBuffer) owner(uid int, admin string) {
	gid, user, group := account(uid, admin)
	b.number("UID", int64(uid))
	b.number("GID", int64(gid))
	b.text("UNAME", user)
	b.text("GNAME", group)
}

// permissions writes PERMISSIONS: the owner may use and manage; others may use
// what shareable says.
func (b *xmlBuffer) permissions(group, other bool) {
	b.open("PERMISSIONS")
	for _, who := range []struct {
		name string
		u, m bool
	}{{"OWNER", true, true}, {"GROUP", group, false}, {"OTHER", other, false}} {
		for i, on := range []bool{who.u, who.m, false} {
			value := int64(0)
			if on {
				value = 1
			}
			b.number(who.name+"_"+"UMA"[i:i+1], value)
		}
	}
	b.end("PERMISSIONS")
}
