package play

import (
	"slices"
	"strconv"
	"strings"
)

// Diff shows how two logs differ, line by line.
func Diff(want, got string) string {
	a, b := strings.Split(strings.TrimSpace(want), "\n"), strings.Split(strings.TrimSpace(got), "\n")
	// common[i][j] is how many lines a[i:] and b[j:] have in common.
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out strings.Builder
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out.WriteString("  " + a[i] + "\n")
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out.WriteString("- " + a[i] + "\n")
			i++
		default:
			out.WriteString("+ " + b[j] + "\n")
			j++
		}
	}
	return out.String()
}

// Same reports whether two logs say the same: the same lines, each at the same time but for a
// tenth of a second. What processes do at the same moment has no order, and which of several asks oned
// first moves the others by milliseconds.
func Same(want, got string) bool {
	a, b := timed(want), timed(got)
	if len(a) != len(b) {
		return false
	}
	for _, line := range a {
		i := slices.IndexFunc(b, func(other timedLine) bool {
			return other.text == line.text && max(line.tenths-other.tenths, other.tenths-line.tenths) <= 1
		})
		if i < 0 {
			return false
		}
		b = slices.Delete(b, i, i+1)
	}
	return true
}

// timedLine is a line of a log; -1 for one of the state in the end.
type timedLine struct {
	tenths int
	text   string
}

// timed reads the lines of a log.
func timed(log string) (all []timedLine) {
	for _, line := range strings.Split(strings.TrimSpace(log), "\n") {
		clock, text, _ := strings.Cut(line, "  ")
		l := timedLine{text: text}
		for _, part := range strings.Split(clock, ":") {
			seconds, err := strconv.ParseFloat(part, 64)
			if err != nil { // no time: the state in the end
				l.tenths, l.text = -1, line
				break
			}
			l.tenths = l.tenths*60 + int(seconds*10+0.5)
		}
		l.text = strings.Join(strings.Fields(l.text), " ")
		all = append(all, l)
	}
	return all
}
