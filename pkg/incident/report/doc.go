// Package report turns an incident.Record into what admins read: rows of a list, lines for a terminal, and a page for a
// browser or a ticket.
//
// All texts of a record count as untrusted, because names of hosts and VMs and what oned says come from others. They are
// shown printable (control characters and direction marks as Go escapes), shortened, and in HTML escaped. What a VM owner
// can write never becomes part of a command that the report recommends.
//
// Times are shown in the location of now, so time.Now() gives local time.
package report
