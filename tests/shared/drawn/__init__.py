"""What several folders of tests draw: integers at the ends of their widths, rules, programs."""
