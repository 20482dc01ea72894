// Package promtext writes metrics in the text format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
package promtext

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Text is metrics that are being written.
type Text struct{ bytes.Buffer }

// Family begins a metric. kind is counter, gauge or histogram; help is a line without a backslash.
func (t *Text) Family(name, kind, help string) {
	fmt.Fprintf(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// Sample writes a value of the metric that was begun last. labels are names and values by turns; values
// may be any text.
func (t *Text) Sample(name string, value float64, labels ...string) {
	t.WriteString(name)
	for i, separator := 0, "{"; i+1 < len(labels); i, separator = i+2, "," {
		fmt.Fprintf(t, `%s%s="%s"`, separator, labels[i], escape.Replace(labels[i+1]))
	}
	if len(labels) > 0 {
		t.WriteByte('}')
	}
	t.WriteString(" " + Number(value) + "\n")
}

// Number is a number as it stands in a sample, and in the label le of a bucket.
func Number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
