package isolation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/isolation/probe"
	"one-ft/pkg/one"
)

// OnedClient asks all front-ends about this host. It is safe for concurrent use.
type OnedClient struct {
	clients []*one.Client
	timeout time.Duration
	uptime  func() time.Duration
	names   []string // of this host, as oned may call it

	mu   sync.Mutex
	host one.Host // as oned last reported it; its ID is -1 while not known
	via  int      // the front-end whose word counted last
}

// ErrHost means that oned knows this host by no name that is certain.
var ErrHost = errors.New("this host is not found in oned")

// NewOnedClient makes an OnedClient for the front-ends of a configuration. credentials are "user:token"; hostID is
// the ID of this host, or -1 to find it by its name; transport carries the questions (Transport).
func NewOnedClient(c config.Isolation, credentials string, hostID int, transport http.RoundTripper, uptime func() time.Duration) (*OnedClient, error) {
	o := &OnedClient{timeout: c.Timeout, uptime: uptime, host: one.Host{ID: hostID}, via: -1, names: []string{c.HostName}}
	if c.HostName == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("find the name of this host: %w", err)
		}
		o.names = []string{name}
		if short, _, dotted := strings.Cut(name, "."); dotted {
			o.names = append(o.names, short)
		}
	}
	for _, endpoint := range c.FrontEnds {
		client, err := one.New(one.Options{Endpoint: endpoint, Credentials: credentials, Transport: transport, Timeout: c.Timeout})
		if err != nil {
			return nil, err
		}
		o.clients = append(o.clients, client)
	}
	return o, nil
}

// Transport connects to front-ends at the addresses that names gives, without a proxy, and never uses a connection
// again: an old one says nothing about the network of now.
func Transport(c config.Isolation, names *probe.Names) (http.RoundTripper, error) {
	transport, err := one.NewTransport(c.CAFile, false)
	if err != nil {
		return nil, err
	}
	transport.Proxy, transport.DisableKeepAlives = nil, true
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) { // one address after the other
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		addresses, err := names.Lookup(ctx, host)
		if err != nil {
			return nil, err
		}
		var d net.Dialer
		for _, ip := range addresses {
			conn, dialErr := d.DialContext(ctx, network, net.JoinHostPort(ip.String(), port))
			if dialErr == nil {
				return conn, nil
			}
			err = errors.Join(err, dialErr)
		}
		return nil, err
	}
	return transport, nil
}

// Ask asks all front-ends at the same time, for at most the time-out of the configuration, and returns what their
// quorum says.
func (o *OnedClient) Ask(ctx context.Context) Answer {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	word, via := Quorum(<-all(o.clients, func(client *one.Client) Answer { return o.ask(ctx, client) }))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.via = via
	return word
}

func (o *OnedClient) ask(ctx context.Context, client *one.Client) Answer {
	asked, id := o.uptime(), o.Host().ID
	var hosts []one.Host
	var host one.Host
	var err error
	if id < 0 {
		if hosts, err = client.Hosts(ctx); err == nil {
			id, err = findHost(hosts, o.names)
		}
	}
	if err == nil {
		host, err = client.Host(ctx, id) // the pool leaves parts of the template out on some versions
	}
	if err != nil {
		return Answer{Asked: asked, Err: fmt.Errorf("%s: %w", client.Endpoint(), err)}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.host = host
	return Answer{Reported: reportedOf(host), Asked: asked}
}

// findHost finds this host by its names; two hosts with one name are not certain.
func findHost(hosts []one.Host, names []string) (int, error) {
	found := -1
	for _, name := range names {
		for _, h := range hosts {
			switch {
			case !strings.EqualFold(h.Name, name):
			case found >= 0 && found != h.ID:
				return -1, fmt.Errorf("%w: hosts %d and %d may both be %s; set host_id", ErrHost, found, h.ID, strings.Join(names, " or "))
			default:
				found = h.ID
			}
		}
	}
	if found < 0 {
		return -1, fmt.Errorf("%w: none of the %d hosts that this user sees is called %s; set host_id or host_name, and give "+
			"the user USE rights on hosts", ErrHost, len(hosts), strings.Join(names, " or "))
	}
	return found, nil
}

// Host is this host as oned last reported it; its ID is -1 while that is not known.
func (o *OnedClient) Host() one.Host {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.host
}

// VM reads a VM from the front-end whose word counted last.
func (o *OnedClient) VM(ctx context.Context, id int) (one.VM, error) {
	o.mu.Lock()
	via := o.via
	o.mu.Unlock()
	if via < 0 {
		return one.VM{}, errors.New("no front-end has answered yet")
	}
	return o.clients[via].VM(ctx, id)
}
