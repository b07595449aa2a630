//go:build !linux

package machine

import "runtime"

const system = runtime.GOOS

func processor() string { return "" }

func kernel() string { return "" }
