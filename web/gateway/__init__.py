"""The in-app gateway: inboxes live, to browsers and apps, over WebSocket, SSE or long polling."""
