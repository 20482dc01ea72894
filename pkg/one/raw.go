package one

import (
	"context"
	"errors"
	"fmt"
)

// Raw makes a call that only reads and whose value is text, and returns it as oned wrote it:
// for those who read other parts of an answer than this package does. An answer that is not
// XML-RPC is ErrDamaged, too.
func (c *Client) Raw(ctx context.Context, method string, args ...any) (string, error) {
	document, err := c.text(ctx, method, args...)
	var answer *AnswerError
	if errors.As(err, &answer) {
		return "", fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return document, err
}
