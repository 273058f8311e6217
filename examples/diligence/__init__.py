"""IT due diligence, small: deals, their inventories, and what a deal will cost and save."""
