package install

import (
	"bytes"
	"fmt"
	"strings"
)

// around is how many unchanged lines Diff shows before and behind the changes.
const around = 3

// maxTable is the size up to which Diff looks for the lines that two texts share in between.
const maxTable = 1 << 20

// Diff shows how two texts differ, as diff -u does, in one piece from the first line that
// differs to the last. Lines are made printable. "" when the texts are equal.
func Diff(old, fresh []byte) string {
	if bytes.Equal(old, fresh) {
		return ""
	}
	a, b := lines(old), lines(fresh)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	from, after := max(head-around, 0), min(tail, around)
	var out strings.Builder
	fmt.Fprintf(&out, "@@ -%s +%s @@\n", hunk(from, len(a)-tail+after), hunk(from, len(b)-tail+after))
	for _, line := range a[from:head] {
		show(&out, ' ', line)
	}
	between(&out, a[head:len(a)-tail], b[head:len(b)-tail])
	for _, line := range a[len(a)-tail : len(a)-tail+after] {
		show(&out, ' ', line)
	}
	return out.String()
}

// between shows the changed part, with the lines that both have (a longest common
// subsequence).
func between(out *strings.Builder, a, b []string) {
	// common[i][j] is how many lines a[i:] and b[j:] have in common, at most.
	common := make([][]int, len(a)+1)
	small := (len(a)+1)*(len(b)+1) <= maxTable
	for i := len(a); small && i >= 0; i-- {
		common[i] = make([]int, len(b)+1)
		for j := len(b) - 1; i < len(a) && j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case small && i < len(a) && j < len(b) && a[i] == b[j]:
			show(out, ' ', a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && (!small || common[i+1][j] >= common[i][j+1]):
			show(out, '-', a[i])
			i++
		default:
			show(out, '+', b[j])
			j++
		}
	}
}

// show writes one line. A tab, and the CR of a CRLF, are no news to the reader.
func show(out *strings.Builder, mark byte, line string) {
	text, ended := strings.CutSuffix(line, "\n")
	parts := strings.Split(strings.TrimSuffix(text, "\r"), "\t")
	for i, p := range parts {
		parts[i] = short(p)
	}
	out.WriteString(string(mark) + strings.Join(parts, "\t") + "\n")
	if !ended {
		out.WriteString("\\ No newline at end of file\n")
	}
}

// hunk is a range of lines as diff -u writes it; from counts from 0.
func hunk(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprintf("%d,0", from)
	case 1:
		return fmt.Sprint(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

// lines splits a text behind each line end.
func lines(text []byte) []string {
	all := strings.SplitAfter(string(text), "\n")
	if all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}
