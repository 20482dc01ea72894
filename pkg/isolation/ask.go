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

// Asker asks all front-ends what they say of this host. It is safe for concurrent use.
type Asker struct {
	clients []*one.Client
	uptime  func() time.Duration
	names   []string // of this host, as oned may call it

	mu       sync.Mutex
	hostID   int // -1 while not known
	via      int // the front-end whose word counted last
	template map[string]string
}

// ErrHost means that oned knows this host by no name that is certain.
var ErrHost = errors.New("this host is not found in oned")

// NewAsker makes an Asker for the front-ends of a configuration. credentials are
// "user:token"; hostID is the ID of this host, or -1 to find it by its name; transport
// carries the questions (Transport).
func NewAsker(c config.Isolation, credentials string, hostID int, transport http.RoundTripper, uptime func() time.Duration) (*Asker, error) {
	a := &Asker{uptime: uptime, hostID: hostID, via: -1, names: []string{c.HostName}}
	if c.HostName == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("find the name of this host: %w", err)
		}
		a.names = hostNames(name)
	}
	for _, endpoint := range c.FrontEnds {
		client, err := one.New(one.Options{Endpoint: endpoint, Credentials: credentials, Transport: transport, Timeout: c.Timeout})
		if err != nil {
			return nil, err
		}
		a.clients = append(a.clients, client)
	}
	return a, nil
}

// Transport connects to front-ends at the addresses that names gives, without a proxy, and
// never uses a connection again: an old one says nothing about the network of now.
func Transport(c config.Isolation, names *probe.Names) (http.RoundTripper, error) {
	transport, err := one.NewTransport(c.CAFile, false)
	if err != nil {
		return nil, err
	}
	transport.Proxy, transport.DisableKeepAlives = nil, true
	transport.DialContext = dialer(names)
	return transport, nil
}

// hostNames are what oned may call a host: as it calls itself, and without its domain.
func hostNames(name string) []string {
	short, _, dotted := strings.Cut(name, ".")
	if dotted {
		return []string{name, short}
	}
	return []string{name}
}

// dialer connects to the addresses of a name, one after the other.
func dialer(names *probe.Names) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
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
}

// Ask asks all front-ends at the same time, each for at most the time-out of the
// configuration.
func (a *Asker) Ask(ctx context.Context) []Answer {
	answers := make([]Answer, len(a.clients))
	var wg sync.WaitGroup
	for i, client := range a.clients {
		wg.Go(func() { answers[i] = a.ask(ctx, client) })
	}
	wg.Wait()
	return answers
}

// ask asks one front-end for this host.
func (a *Asker) ask(ctx context.Context, client *one.Client) Answer {
	answer := Answer{Asked: a.uptime()}
	host, err := a.host(ctx, client)
	if err != nil {
		answer.Err = fmt.Errorf("%s: %w", client.Endpoint(), err)
		return answer
	}
	answer.Says = saysOf(host)
	a.mu.Lock()
	a.hostID, a.template = host.ID, host.Template
	a.mu.Unlock()
	return answer
}

// host reads this host from one front-end.
func (a *Asker) host(ctx context.Context, client *one.Client) (one.Host, error) {
	if id := a.HostID(); id >= 0 {
		return client.Host(ctx, id)
	}
	hosts, err := client.Hosts(ctx)
	if err != nil {
		return one.Host{}, err
	}
	id, err := findHost(hosts, a.names)
	if err != nil {
		return one.Host{}, err
	}
	return client.Host(ctx, id) // the pool leaves parts of the template out on some versions
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
		return -1, fmt.Errorf("%w: none of the %d hosts that this user sees is called %s; set host_id or host_name, and give the user USE rights on hosts",
			ErrHost, len(hosts), strings.Join(names, " or "))
	}
	return found, nil
}

// HostID is the ID of this host in oned, or -1 while it is not known.
func (a *Asker) HostID() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hostID
}

// Template is the template of this host as oned last told it; nil before.
func (a *Asker) Template() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.template
}

// Use names the front-end whose word counts, by its index: VM asks it.
func (a *Asker) Use(via int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.via = via
}

// VM reads a VM from the front-end whose word counted last.
func (a *Asker) VM(ctx context.Context, id int) (one.VM, error) {
	a.mu.Lock()
	via := a.via
	a.mu.Unlock()
	if via < 0 {
		return one.VM{}, errors.New("no front-end has answered yet")
	}
	return a.clients[via].VM(ctx, id)
}
