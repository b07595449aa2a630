//go:build !linux

package main

import (
	"errors"
	"runtime"
)

func readMachine() (machine, error) {
	return machine{}, errors.New("it reads /proc, which " + runtime.GOOS + " does not have")
}
