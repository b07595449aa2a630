package main

import "github.com/panjf2000/gnet/v2/pkg/pool/goroutine"

// endIdlePool ends a pool of goroutines that gnet makes for who imports it and, outside of Windows, gives nothing to do. It
// would wake an idle node twice a second, to look at the clock.
func endIdlePool() { goroutine.DefaultWorkerPool.Release() }
