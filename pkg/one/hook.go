package one

import (
	"context"
	"fmt"
)

// HookPool reads all hooks as oned writes them; 5.10 and later. Anything that is not
// authorized is missing in it.
func (c *Client) HookPool(ctx context.Context) (string, error) {
	document, err := c.Raw(ctx, "one.hookpool.info", -2, -1, -1) // of all users, all IDs
	if err != nil {
		return "", fmt.Errorf("read the hooks: %w", err)
	}
	return document, nil
}

// AllocateHook creates a hook from a template and returns its ID.
func (c *Client) AllocateHook(ctx context.Context, template string) (int, error) {
	value, err := c.call(ctx, false, "one.hook.allocate", template)
	if err != nil {
		return 0, fmt.Errorf("create a hook: %w", err)
	}
	id, ok := value.(int64)
	if !ok {
		return 0, fmt.Errorf("[one.hook.allocate] %w: no ID", ErrDamaged)
	}
	return int(id), nil
}

// UpdateHook merges attributes into the template of a hook; others stay.
func (c *Client) UpdateHook(ctx context.Context, id int, template string) error {
	const merge = 1
	if _, err := c.call(ctx, false, "one.hook.update", id, template, merge); err != nil {
		return fmt.Errorf("update hook %d: %w", id, err)
	}
	return nil
}

// DeleteHook deletes a hook.
func (c *Client) DeleteHook(ctx context.Context, id int) error {
	if _, err := c.call(ctx, false, "one.hook.delete", id); err != nil {
		return fmt.Errorf("delete hook %d: %w", id, err)
	}
	return nil
}
