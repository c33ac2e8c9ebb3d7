"""placeholder while the interface settles"""
