//go:build !linux

package peers

import "errors"

func Pin(int, int) error { return errors.New("processes are pinned to processors on Linux only") }
