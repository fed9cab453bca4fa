"""What people ask a site: its status, what a bundle holds, whether all is well. Nothing here changes anything."""
