package guest

import (
	"fmt"
	"strconv"
	"strings"
)

// maxListed is how many names or numbers a text lists.
const maxListed = 20

// listed joins names; a few of very many.
func listed(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		return strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// numbers joins numbers; a few of very many.
func numbers(list []int) string {
	var names []string
	for _, n := range list {
		names = append(names, strconv.Itoa(n))
	}
	return listed(names)
}
