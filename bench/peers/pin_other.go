//go:build !linux

package main

import "errors"

func pin(int, int) error { return errors.New("processes are pinned to processors on Linux only") }
