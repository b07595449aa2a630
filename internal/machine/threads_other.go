//go:build !linux

package machine

import "errors"

// Hurry does nothing here.
func Hurry() (undo func()) { return func() {} }

// Pin is an error here.
func Pin(first, count int) error {
	return errors.New("processes are pinned to processors on Linux only")
}
