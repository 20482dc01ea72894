package probe

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Link is a default route of this host and the state of its interface.
type Link struct {
	Interface string // as the kernel names it; printable
	Gateway   string // its address; "" for a route without one, as into a tunnel
	// Carrier is "up", "down" or "unknown". A bridge has a carrier as long as any of its
	// ports has one, also that of a VM.
	Carrier string
}

// Links returns the default routes of the main table, none when there is none. An error
// means that the routes cannot be read.
func (n *Network) Links() ([]Link, error) {
	routes, err := n.routes()
	if err != nil {
		return nil, err
	}
	sys := n.Sys
	if sys == "" {
		sys = "/sys"
	}
	var links []Link
	for _, r := range routes {
		link := Link{Interface: r.device, Carrier: carrier(readCarrier(filepath.Join(sys, "class", "net", r.device, "carrier")))}
		if r.gateway.IsValid() {
			link.Gateway = r.gateway.String()
		}
		links = append(links, link)
	}
	return links, nil
}

// readCarrier reads the file of the kernel.
func readCarrier(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 16))
	return string(text), err
}

// carrier says what the file of the kernel means. It cannot be read from an interface that
// is down (carrier_show in net/core/net-sysfs.c).
func carrier(text string, err error) string {
	switch text = strings.TrimSpace(text); {
	case errors.Is(err, syscall.EINVAL), err == nil && text == "0":
		return "down"
	case err == nil && text == "1":
		return "up"
	}
	return "unknown"
}
