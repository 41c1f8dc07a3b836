"""Nothing: each test that needs addresses names its own module of them."""

urlpatterns = []
