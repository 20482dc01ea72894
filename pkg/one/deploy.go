package one

import (
	"context"
	"fmt"
)

// Deploy starts a VM that waits (PENDING or HOLD) on a host, as the scheduler does: oned checks that the
// host has room, and in all releases looks at nothing else that the scheduler does. datastoreID is the
// system datastore, -1 for the one that oned takes by default for the cluster of the host. A nil error
// means accepted; a VM that waits no more is ErrWrongState.
//
// The four arguments are taken by all releases; the template with networks, 5.8 and later, may be left
// out (VirtualMachineDeploy in src/rm/RequestManagerVirtualMachine.cc of 4.4 to 7.0, src/rm/xml-rpc of 7.2
// on: paramList.size() > 5).
func (c *Client) Deploy(ctx context.Context, vmID, hostID, datastoreID int) error {
	if c.dialect.Name == "" {
		return errNotConnected
	}
	const enforceCapacity = true
	if _, err := c.call(ctx, false, "one.vm.deploy", vmID, hostID, enforceCapacity, datastoreID); err != nil {
		return fmt.Errorf("deploy VM %d on host %d: %w", vmID, hostID, err)
	}
	return nil
}
