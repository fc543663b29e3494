"""Files over HTTP and what they hold: fetched in parallel, resumed, checked, unpacked without trust."""
