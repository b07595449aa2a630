//go:build !linux

package bench

import (
	"errors"
	"runtime"
)

type processUse struct {
	rssBytes int64
	cpuS     float64
	fds      int
}

func readProcess(int) (processUse, error) {
	return processUse{}, errors.New("process figures are read from Linux's /proc only")
}

func readKernelCounters() kernelCounters { return nil }

func kernelRelease() string { return runtime.GOOS }

func localPorts() int { return 16_384 } // 49152-65535

func ephemeralPorts() int { return 49_152 }

func hurry() (restore func()) { return func() {} }

func portConns(int, uint16) (int, error) { return 0, errUnknown }
