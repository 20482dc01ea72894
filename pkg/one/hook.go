package one

import "context"

// HookPool reads all hooks as oned writes them; 5.10 and later. Anything that is not authorized is missing in it.
func (c *Client) HookPool(ctx context.Context) (string, error) {
	document, err := c.text(ctx, "one.hookpool.info", allUsers, allIDs, allIDs)
	return document, wrap(err, "read the hooks")
}

// AllocateHook creates a hook from a template and returns its ID.
func (c *Client) AllocateHook(ctx context.Context, template string) (int, error) {
	value, err := c.call(ctx, false, "one.hook.allocate", template)
	id, ok := value.(int64)
	if err == nil && !ok {
		err = inCall("one.hook.allocate", damaged("no ID"))
	}
	return int(id), wrap(err, "create a hook")
}

// UpdateHook merges attributes into the template of a hook; others stay.
func (c *Client) UpdateHook(ctx context.Context, id int, template string) error {
	return wrap(c.change(ctx, "one.hook.update", id, template, merge), "update hook %d", id)
}

// DeleteHook deletes a hook.
func (c *Client) DeleteHook(ctx context.Context, id int) error {
	return wrap(c.change(ctx, "one.hook.delete", id), "delete hook %d", id)
}
